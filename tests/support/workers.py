"""How the tests are spread over several processes, each of which makes its own labs."""

from __future__ import annotations

import zlib
from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

SLOW = {
    "test_swarm.py": 3,
    "test_swarm_members.py": 2,
    "test_plays.py": 1,
    "test_broken_plays.py": 10,
    "test_manual.py": 8,
    "test_resource_cases.py": 4,
    "test_faults.py": 4,
    "test_check_cases.py": 7,
    "test_codes.py": 2,
    "test_nightly.py": 1,
    "test_apply.py": 1,
    "test_host.py": 1,
    "test_commands.py": 1,
    "test_namespaces_life.py": 5,
    "test_interrupted_apply.py": 1,
    "test_engine_api.py": 1,
}
"""Files whose tests take longest, in the order in which they begin, and into how many parts they are cut."""


def begins(nodeid: str) -> int:
    """The place of a test's file in the order in which they begin: what takes long is not left for the end."""
    return list(SLOW).index(name) if (name := _file(nodeid)) in SLOW else len(SLOW)


def part(nodeid: str) -> str:
    """The tests that one process takes together: a file shares its lab, and one that is cut has a lab in each part.

    Cases stay together when they are named for the same play: the next one finds most of what it needs made.
    """
    file, _, test = nodeid.partition("::")
    return f"{file} {zlib.crc32(test.partition('-')[0].encode()) % SLOW.get(_file(nodeid), 1)}"


def _file(nodeid: str) -> str:
    return PurePosixPath(nodeid.partition("::")[0]).name


class InParts(LoadScopeScheduling):  # type: ignore[misc]  # xdist is not typed
    """Gives each process a part, and the next one when it has done that."""

    def _split_scope(self, nodeid: str) -> str:
        return part(nodeid)
