"""What the test proves of NFS exports.

Those of the inventory are written to by whom the server lets; those that others' volumes mount are only read.
"""

from __future__ import annotations

from collections.abc import Iterator

from .names import SHARED_AT, folder, shared
from .subject import Statement, Subject

_CACHED = "60s"  # for which an NFS client may take what it knows of a directory for current
FILES = 1000  # names that a server sends in several answers
_STRANGER = "12345:12345"
_READ = f"grep -q ' {SHARED_AT} nfs' /proc/mounts && ls -A {SHARED_AT} > /dev/null"


def shares(subject: Subject) -> Iterator[Statement]:
    """Nothing is appended under a lock by the quick test: on an NFS client that takes longest."""
    appends = 0 if subject.quick else 2
    for inside, export in _exports(subject):
        path = folder(subject.mark, "file")
        shared_file = {"in": inside, "path": f"{path}/file", "appends": appends}
        yield _on_export(
            f"what one node writes to {export}, every other reads", path, inside, {"shared_file": shared_file}
        )


def renames(subject: Subject) -> Iterator[Statement]:
    for inside, export in _exports(subject):
        path = folder(subject.mark, "renamed")
        replace = f"echo old > {path}/$NODE && echo new > {path}/$NODE.part && mv {path}/$NODE.part {path}/$NODE"
        read = f"cd {path} && for one in *; do echo $one $(cat $one); done"
        names = sorted(subject.nodes)
        yield _on_export(
            f"a file that one node replaces by renaming another on {export} is the new one on every node",
            path,
            inside,
            {"command": {"in": inside, "run": replace}, "within": _CACHED},
            {
                "command": {"in": inside, "run": read, "stdout": "\n".join(f"{one} new" for one in names)},
                "within": _CACHED,
            },
        )


def locks(subject: Subject) -> Iterator[Statement]:
    """The first node holds a lock until it removes a file of its own, and at most for two minutes."""
    for inside, export in _exports(subject):
        path = folder(subject.mark, "locked")
        first, *others = inside
        hold = (
            f"exec 9>> {path}/file; flock -n 9 && touch {path}/held || exit 1; n=0; "
            f"while [ -e {path}/held ] && [ $n -lt 600 ]; do sleep 0.2; n=$((n+1)); done > /dev/null 2>&1 &"
        )
        lock = f"exec 9>> {path}/file; flock -n -E 9 9"
        wait = f"exec 9>> {path}/file; until flock -n 9; do sleep 0.1; done"
        yield _on_export(
            f"a lock that one node holds on a file of {export} is refused to every other, until it is released",
            path,
            inside,
            {"command": {"in": first, "run": hold}},
            {"command": {"in": others, "run": lock, "exit": 9}},
            {"command": {"in": first, "run": f"rm {path}/held"}},
            {"command": {"in": others, "run": wait}},
        )


def listings(subject: Subject) -> Iterator[Statement]:
    for inside, export in _exports(subject):
        path = folder(subject.mark, "listed")
        create = f"cd {path} && touch $(seq {FILES})"
        count = f"cd {path} && echo $(ls | wc -l) files, $(ls | sort -u | wc -l) names"
        yield _on_export(
            f"every node lists each of {FILES} files of a directory of {export} once",
            path,
            inside,
            {"command": {"in": inside[0], "run": create, "timeout": "120s"}},
            {
                "command": {"in": inside, "run": count, "stdout": f"{FILES} files, {FILES} names", "timeout": "60s"},
                "within": _CACHED,
            },
        )


def permissions(subject: Subject) -> Iterator[Statement]:
    """Where a server takes all users for one, a file is not kept from another user."""
    all_one = {str(one.path) for one in subject.inventory.nfs.exports if "all_squash" in one.options}
    for (inside, export), exported in zip(_exports(subject), subject.exports, strict=False):
        path = folder(subject.mark, "private")
        show = f"stat -c '%a %u:%g' {path}/file"
        create = f"(umask 077; echo secret > {path}/file) && {show} > {path}/shown"
        same = f'[ "$({show})" = "$(cat {path}/shown)" ] && cat {path}/file || {{ {show}; exit 1; }}'
        refused = {"in": inside, "user": _STRANGER, "run": f"cat {path}/file", "exit": 1}
        steps: list[Statement] = [
            {"command": {"in": inside[0], "run": create}},
            {"command": {"in": inside, "run": same, "stdout": "secret"}, "within": _CACHED},
            {"command": {**refused, "stderr": {"contains": "Permission denied"}}},
        ]
        title = f"owner and mode of a file on {export} are the same on every node"
        if exported.path in all_one:
            yield _on_export(title, path, inside, *steps[:2])
        else:
            yield _on_export(f"{title}, and a private file is refused to another user", path, inside, *steps)


def _exports(subject: Subject) -> Iterator[tuple[list[str], str]]:
    """The containers of all nodes with an export, and how titles name it."""
    if len(subject.nodes) > 1:
        for index, export in enumerate(subject.exports):
            yield [shared(index, node) for node in subject.nodes], export.shown


def _on_export(title: str, path: str, inside: list[str], *steps: Statement) -> Statement:
    """A statement about a folder of its own on an export; what a test that was killed left in it is removed first."""
    begin = {"command": {"in": inside[0], "run": f"rm -rf {path} && mkdir {path} && chmod 755 {path}"}}
    tidy_up = {"in": inside[0], "run": f"rm -rf {path}", "timeout": "120s"}
    return {"title": title, "steps": [begin, *steps], "finally": [tidy_up]}


def mounts(subject: Subject) -> Iterator[Statement]:
    """Where a node does not reach the server nothing is mounted: its engine would wait for minutes."""
    for index, export in enumerate(subject.readable, len(subject.exports)):
        as_others = f", as volume {export.of} does," if export.of else ""
        title = f"every node mounts {export.shown}{as_others} and reads it"
        if subject.is_mounted(export):
            inside = [shared(index, node) for node in subject.nodes]
            yield {"title": title, "command": {"in": inside, "run": _READ}, "within": subject.soon}
        else:
            reach = {"on": list(subject.nodes), "to": export.server, "port": export.port}
            yield {"title": title, "port": reach, "needs": ["nfs"]}
