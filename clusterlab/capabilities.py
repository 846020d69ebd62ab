"""What hosts lack: capabilities such as nfs or ipvs, per host, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Capabilities:
    """Capabilities that hosts lack; a host without an entry has them all.

    Machine kinds report them, and everything that depends on one asks for the hosts that it concerns.
    """

    missing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # host: {capability: reason}

    @classmethod
    def missing_everywhere(cls, hosts: Iterable[str], reasons: Mapping[str, str]) -> Capabilities:
        """The same capabilities missing on every host, as where all share one kernel."""
        return cls({host: dict(reasons) for host in hosts} if reasons else {})

    def has(self, host: str, capability: str) -> bool:
        """Whether nothing is known to be in the way of a capability on a host."""
        return capability not in self.missing.get(host, {})

    def reason(self, host: str, capability: str) -> str:
        """Why a host lacks a capability, or "" when it does not."""
        return self.missing.get(host, {}).get(capability, "")

    def without(self, capability: str, hosts: Iterable[str]) -> list[str]:
        """Those of `hosts` that lack a capability, in their order."""
        return [host for host in hosts if not self.has(host, capability)]

    def nowhere(self, capability: str, hosts: Iterable[str]) -> bool:
        """Whether every one of `hosts` lacks a capability; False when there are none."""
        names = list(hosts)
        return bool(names) and len(self.without(capability, names)) == len(names)

    def reasons(self) -> Iterator[tuple[str, str, str]]:
        """Every host, capability and reason."""
        for host, missing in self.missing.items():
            for capability, reason in missing.items():
                yield host, capability, reason


ALL_CAPABILITIES = Capabilities()
"""Nothing is missing anywhere."""
