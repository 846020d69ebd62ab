"""Names that exist now, for the completion script.

`clusterlab --complete SOURCE WORD ...`.

Each key press waits for this, so it imports no models and reads names of files, or one file, and nothing else. What
cannot be read has no names: a shell has no place for an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from clusterlab.cli.locations import DEFAULT_PLAYBOOKS, inventory_path, shipped

_FLAGS = {"-i": "inventory", "--inventory": "inventory", "--playbooks": "playbooks", "--lab": "lab"}


def values(words: Sequence[str]) -> list[str]:
    """The names of a source, given the words that are typed so far.

    None for a source that is not known.
    """
    source, *line = words or [""]
    return list(SOURCES[source](_given(line))) if source in SOURCES else []


def _given(line: Sequence[str]) -> dict[str, str]:
    """The values of those options that decide where names come from."""
    given = {}
    for word, following in zip(line, [*line, ""][1:], strict=True):
        flag, equals, value = word.partition("=")
        if flag in _FLAGS:
            given[_FLAGS[flag]] = value if equals else following
    return given


def _plays(given: dict[str, str]) -> Iterable[str]:
    from clusterlab.model.play_files import play_names

    folder = Path(given.get("playbooks", DEFAULT_PLAYBOOKS))
    folder = folder if folder.is_dir() or "playbooks" in given else shipped("playbooks")
    return sorted(play_names(folder))


def _inventories(given: dict[str, str]) -> Iterable[str]:
    return sorted(path.stem for path in Path("inventory").glob("*.yml"))


def _inventory(given: dict[str, str]) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        read = yaml.load(inventory_path(given.get("inventory", "")).read_bytes(), loader)
    except (OSError, yaml.YAMLError):
        return {}
    return read if isinstance(read, dict) else {}


def _hosts(given: dict[str, str]) -> Iterable[str]:
    hosts = _inventory(given).get("hosts")
    return [str(name) for name in hosts] if isinstance(hosts, dict) else []


def _lab(given: dict[str, str]) -> str:
    return given.get("lab") or str(_inventory(given).get("lab", ""))


def _labs(given: dict[str, str]) -> Iterable[str]:
    from clusterlab.machines.paths import known_labs

    return known_labs()


def _folders(folder: Path) -> list[str]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in found if path.is_dir() and not path.name.startswith("."))


def _snapshots(given: dict[str, str]) -> Iterable[str]:
    from clusterlab.machines.paths import state_home

    return _folders(state_home() / "labs" / _lab(given) / "snapshots")


def _runs(given: dict[str, str]) -> Iterable[str]:
    from clusterlab.machines.paths import state_home

    return ["last", *_folders(state_home() / "runs" / _lab(given))]


def _starts(given: dict[str, str]) -> Iterable[str]:
    return ["fresh", "apply", *(f"restore:{name}" for name in _snapshots(given))]


def _codes(given: dict[str, str]) -> Iterable[str]:
    """Codes of doctor by the names of their modules and entry points: importing all of them takes too long."""
    from importlib.metadata import entry_points

    codes = Path(__file__).parents[2] / "doctor/codes"
    others = sorted(one.name.upper() for one in entry_points(group="clusterlab.diagnoses"))
    return [*sorted(path.stem.upper() for path in codes.glob("cl[0-9]*.py")), *others]


def _properties(given: dict[str, str]) -> Iterable[str]:
    from clusterlab.connectivity.properties import PROPERTIES

    return PROPERTIES


def _faults(given: dict[str, str]) -> Iterable[str]:
    """Those of other packages by the names of their entry points: importing them takes too long."""
    from importlib.metadata import entry_points

    from clusterlab.faults.names import OWN

    return [*OWN, *sorted(one.name for one in entry_points(group="clusterlab.faults"))]


SOURCES: dict[str, Callable[[dict[str, str]], Iterable[str]]] = {
    "plays": _plays,
    "inventories": _inventories,
    "hosts": _hosts,
    "labs": _labs,
    "snapshots": _snapshots,
    "runs": _runs,
    "codes": _codes,
    "properties": _properties,
    "faults": _faults,
    "starts": _starts,
    "keeping": lambda _: ["on-failure", "always", "never"],
    "resolutions": lambda _: ["always", "changed", "never"],
}
