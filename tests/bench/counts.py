"""What a second apply and a check ask of each host, and what one probe in a container costs: counts, as tables.

    sudo .venv/bin/python -m tests.bench.counts [--dialled] [PLAY ...]     (default: networks/bridge networks/overlay)

The lab is inventory/namespaces.yml. Connections, commands, requests and the rest are counted by clusterlab itself, as
`--json` shows them. Processes are those that this whole machine started meanwhile, divided by the number of probes:
compare them on a quiet machine. With --dialled no socket is forwarded, as with `AllowStreamLocalForwarding no`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from clusterlab.checks.place import Place
from clusterlab.checks.places import Places
from clusterlab.remote import Hosts
from clusterlab.remote.channels import Channels, ForwardingRefused
from clusterlab.results import Outcome
from tests.support.play_bench import Stand, stand_up

COLUMNS = ("connections", "streams", "dials", "requests", "commands", "execs")
TIMES = 20
PLAYS = ("networks/bridge", "networks/overlay")
_take = Channels.take


def main(plays: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, stand_up(Path(folder)) as stand:
        assert stand.apply(plays).ok
        print(f"{'':22}" + "".join(f"{column:>13}" for column in COLUMNS))
        lab = stand.lab(plays)
        table("second apply", stand, lambda one: one.apply(plays))
        table("check", stand, lambda one: check(one, plays))
        print(f"\n{'one probe in a container':40}{'processes':>10}{'seconds':>10}")
        play = next(iter(lab.plays.values()))
        places = Places(lab, play, stand.hosts)
        name = next(iter(play.containers))
        place = Place(play.containers[name].host, name)
        cost("docker exec true", lambda: places.run(place, ["true"]))
        cost("in its network", lambda: places.in_network(place, ["true"], names=False))
        cost("in its network, with its names", lambda: places.in_network(place, ["true"], names=True))
        cost("a request to the engine", lambda: places.inspect(place))


def table(title: str, stand: Stand, action: Callable[[Stand], object]) -> None:
    """What it asks of each host over connections of its own."""
    with Hosts({name: stand.hosts[name].target for name in stand.hosts}) as hosts:
        action(Stand(stand.inventory, hosts, stand.unsupported))
        for name in hosts:
            print(f"{title:15}{name:7}" + "".join(f"{hosts[name].counts[column]:13}" for column in COLUMNS))


def check(stand: Stand, plays: list[str]) -> None:
    results = stand.check(plays)
    said = Counter(str(result.outcome) for result in results)
    print(f"check: {len(results)} statements: {', '.join(f'{number} {name}' for name, number in said.items())}")
    assert not [result for result in results if result.outcome in (Outcome.FAIL, Outcome.ERROR)], results


def cost(title: str, action: Callable[[], object]) -> None:
    action()
    before, began = processes(), time.monotonic()
    for _ in range(TIMES):
        action()
    seconds = (time.monotonic() - began) / TIMES
    print(f"{title:40}{(processes() - before) / TIMES:10.1f}{seconds:10.3f}")


def processes() -> int:
    """How many processes and threads this machine has started since it booted."""
    lines = Path("/proc/stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("processes "))


def _refuse(channels: Channels, timeout: float, *, spare: bool = False, socket: str = "") -> object:
    if socket:
        raise ForwardingRefused(channels.target.name, "not forwarded in this measurement")
    return _take(channels, timeout, spare=spare)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialled", action="store_true", help="dial the engines through processes on their hosts")
    parser.add_argument("plays", nargs="*", metavar="PLAY")
    given = parser.parse_args()
    with patch.object(Channels, "take", _refuse if given.dialled else _take):
        main(given.plays or list(PLAYS))
