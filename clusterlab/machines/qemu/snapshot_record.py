"""What is recorded of a snapshot, and whether the current lab can return to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from clusterlab.errors import ClusterlabError
from clusterlab.machines.file_identity import FileIdentity
from clusterlab.model.base import Size, size_bytes

SCHEMA_VERSION = 1
"""Version of the record's form; raised when an older clusterlab could not read it rightly."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class HostNeeds(_Frozen):
    """What a host's machine is, as far as a saved state depends on it."""

    address: str  # with the length of the network's prefix
    memory: Size  # as the inventory said it: 1G and 1024M are the same
    cpus: int
    image: str  # the name of the machine image that it was booted from


class Needs(_Frozen):
    """What must be the same at the restore of machines as when they were saved."""

    hosts: dict[str, HostNeeds]
    way: str  # how QEMU runs guests, for people
    fingerprint: str  # QEMU's version, and under KVM the processor's


class SavedHost(_Frozen):
    """How the files of a host's machine are to be used."""

    own_memory: bool
    """Whether its memory has a name of its own in QEMU (a clone's has) instead of the usual one."""
    backing: Path
    """The file in the cache that its disk stands on."""
    bases: dict[Path, FileIdentity] = {}
    """That file and all that it stands on; empty in a record of an earlier version."""


class SnapshotRecord(_Frozen):
    """What was saved, written last of all."""

    form: int = SCHEMA_VERSION
    taken: AwareDatetime
    needs: Needs
    hosts: dict[str, SavedHost]

    @property
    def bases(self) -> dict[Path, FileIdentity]:
        """Every file outside its folder that a disk stands on, directly or not."""
        return {path: known for host in self.hosts.values() for path, known in host.bases.items()}

    @classmethod
    def read(cls, file: Path) -> SnapshotRecord:
        """Raises ClusterlabError when it cannot be understood."""
        try:
            record = cls.model_validate_json(file.read_text())
        except (OSError, ValidationError) as error:
            raise ClusterlabError(f"its record cannot be read: {file}", detail=str(error)) from error
        if record.form > SCHEMA_VERSION:
            raise ClusterlabError(f"it was taken by a newer clusterlab ({file})")
        return record


def incompatibilities(saved: Needs, now: Needs) -> list[str]:
    """Why machines that were `saved` cannot go on as the lab is `now`.

    Nothing when they can.
    """
    reasons = [f"{host} is not in the inventory" for host in saved.hosts if host not in now.hosts]
    reasons += [f"{host} is new in the inventory" for host in now.hosts if host not in saved.hosts]
    for host, before in saved.hosts.items():
        after = now.hosts.get(host)
        differs = _differences(before, after) if after else []
        reasons += [
            f"{host} was saved with {what} {found}, and the inventory now says {wanted}"
            for what, found, wanted in differs
        ]
    return reasons + _of_image(saved.hosts, now.hosts) + _of_computer(saved, now)


def _differences(before: HostNeeds, after: HostNeeds) -> list[tuple[str, object, object]]:
    """What of a host is no longer as it was, as it was, and as it is now."""
    same = {
        "address": before.address == after.address,
        "memory": size_bytes(before.memory) == size_bytes(after.memory),
        "cpus": before.cpus == after.cpus,
    }
    return [(what, getattr(before, what), getattr(after, what)) for what, equal in same.items() if not equal]


def _of_image(saved: Mapping[str, HostNeeds], now: Mapping[str, HostNeeds]) -> list[str]:
    others = [host for host, before in saved.items() if host in now and before.image != now[host].image]
    return [f"{', '.join(others)}: created from another machine image than the one now in use"] if others else []


def _of_computer(saved: Needs, now: Needs) -> list[str]:
    if saved.fingerprint == now.fingerprint:
        return []
    before, after = _version(saved), _version(now)
    if before != after:
        return [f"saved by {before}, and here is {after}"]
    if saved.way != now.way:
        return [f"saved under {saved.way}, and machines now run under {now.way}"]
    return [f"saved under {saved.way} on another kind of processor"]


def _version(needs: Needs) -> str:
    """QEMU's version out of a fingerprint, which goes on with the accelerator."""
    return needs.fingerprint.partition(" kvm ")[0].removesuffix(" tcg")
