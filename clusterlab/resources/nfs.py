"""Exports of an NFS server.

The directories, one file of ours in /etc/exports.d, and what the server really exports.

Wanted is compared with /var/lib/nfs/etab, the server's own table of what it exports and how, not with files
alone. An export that is neither in our file nor recorded is somebody else's: it is never touched, and blocks ours of
the same directory.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

from clusterlab.errors import HostError
from clusterlab.model.inventory import Export
from clusterlab.model.lab import Lab
from clusterlab.remote import Host
from clusterlab.remote.failure import failure

from . import nfs_options, record, written
from .base import Change, Difference, Key
from .commands import do
from .host_kind import HostKind, Role, pending_on
from .nfs_exports import ETAB, Found, Table, end, found, parse, path, put_in_force, question, table_of, text
from .observed import Observed
from .roles import roles
from .scope import Scope, Wants

_REMEDIES = (
    (
        r"requires fsid= for NFS export",
        "the server needs a number to know that file system by",
        "Add an option like `fsid=1` (another number for each export) to the export in the inventory.",
    ),
    (
        r"does not support NFS export",
        "its file system cannot be exported, for example an overlay file system",
        "Export a directory on a disk's file system, such as ext4 or XFS.",
    ),
    (
        r"unknown keyword|syntax error|bad option",
        "the server does not know one of the options",
        "See exports(5) for the options, and correct `nfs.exports` in the inventory.",
    ),
    (
        r"Function not implemented|nfsd.*No such device|kernel does not support",
        "this kernel has no NFS server",
        "Use a kernel with the module nfsd: `modprobe nfsd` says what is wrong.",
    ),
)


class ExportKind(HostKind[Export, Table]):
    """Exports. One file has all of a host's, so they are one change.

    What is found of one are its options by client.
    """

    name = "export"
    runs = True

    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, Export]]:
        if roles(lab, host).nfs_server:
            yield from ((Role(str(export.path), "nfs"), export) for export in lab.inventory.nfs.exports)

    def manual(self, wanted: Export) -> str:
        return put_in_force(wanted)

    def questions(self, at: Observed, wanted: Mapping[Key, Export] | None) -> Mapping[str, str]:
        return {self.name: question([] if wanted is None else [key.name for key in wanted])}

    def observe(self, scope: Scope) -> Mapping[Key, Table]:
        observed = {}
        for at in scope.everywhere:
            ours = found(at.answers.get(self.name, ""), at.lab).ours
            for directory in dict.fromkeys([*(place for place, _ in ours), *record.entries(at, self.name)]):
                table = {pair: options for pair, options in ours.items() if pair[0] == directory}
                observed[Key(at.name, self.name, directory)] = table
        return observed

    def differences(self, wanted: Export, found: Table) -> Sequence[Difference]:
        return [
            Difference(f"{directory} for {client}", want, have)
            for (directory, client), options in table_of([wanted]).items()
            for want, have in nfs_options.differing(options, found.get((directory, client), {}))
        ]

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: Export, found: Table | None) -> Change | None:
        return next(iter(changes(scope.at(key), [wanted], pending_on(scope, key.host, "packages", "unit"))), None)

    def changes(self, wants: Wants, scope: Scope) -> Iterator[Change]:
        wanted = self.wanted(wants)
        for at in scope.everywhere:
            if wants.capabilities.has(at.name, "nfs"):
                here = [export for key, export in wanted.items() if key.host == at.name]
                yield from changes(at, here, pending_on(scope, at.name, "packages", "unit"))

    def owns(self, lab: str, found: Table) -> bool:
        return True  # only exports of the lab's file, and directories that are recorded

    def files(self, lab: str, key: Key) -> Sequence[str]:
        return (path(lab),)

    def rest(self, key: Key, found: Table) -> str:
        return f"the directory, if it is not empty: `rm -r {shlex.quote(key.name)}` removes its data"

    def remove(self, scope: Scope, key: Key, found: Table, reason: str) -> Change | None:
        """End all exports of the lab on a host, and remove empty directories.

        Those that provision created.
        """
        if pending_on(scope, key.host, "exports"):
            return None
        return _removal(scope.at(key), reason)


EXPORT = ExportKind()


def others(at: Observed) -> list[str]:
    """Directories that a host exports besides the lab's."""
    now = found(at.answers.get(EXPORT.name, ""), at.lab)
    return sorted({directory for directory, client in now.active if (directory, client) not in now.ours})


def served(at: Observed) -> list[str]:
    """Directories in the lab's file that a host exports."""
    now = found(at.answers.get(EXPORT.name, ""), at.lab)
    return sorted({directory for directory, client in now.ours if (directory, client) in now.active})


def written_by_others(at: Observed) -> list[str]:
    """Directories in files for exports that are not the lab's, whether they are exported now or not."""
    return sorted(found(at.answers.get(EXPORT.name, ""), at.lab).foreign)


def _removal(at: Observed, reason: str) -> Change:
    now = found(at.answers.get(EXPORT.name, ""), at.lab)
    commands = [
        end(directory, client)
        for directory, client in now.ours
        if (directory, client) in now.active and directory not in now.foreign
    ]
    directories = [name for name, created in record.entries(at, EXPORT.name).items() if created]
    commands += [f"rm -f {path(at.lab)}"]
    commands += [_remove_if_empty(directory) for directory in directories]
    return Change(
        key=Key(at.name, "exports", path(at.lab)),
        action="remove",
        reason=reason,
        command="\n".join(commands),
        carry_out=partial(_take_back, at, commands),
    )


def _remove_if_empty(directory: str) -> str:
    """Command that succeeds also when the directory is gone or in use.

    What remains of it is reported, see `rest`.
    """
    name = shlex.quote(directory)
    return f"[ ! -d {name} ] || rmdir --ignore-fail-on-non-empty {name} || true"


def _take_back(at: Observed, commands: list[str]) -> None:
    do(at.host, "\n".join(["set -e", *commands]), "end the exports of the lab", remedies=_REMEDIES)
    written.forget(at.host, at.lab, [path(at.lab)])
    record.forget(at.host, at.lab, EXPORT.name, record.entries(at, EXPORT.name))


def changes(at: Observed, exports: Sequence[Export], needs: frozenset[Key]) -> list[Change]:
    """Export what is wanted, and end what our file had besides.

    Blocked where others export the same directory.
    """
    lab, now = at.lab, found(at.answers.get(EXPORT.name, ""), at.lab)
    # An export that is wanted and in no file is ours only if it is recorded: its file was removed then.
    recorded = record.entries(at, EXPORT.name)
    known = {*now.ours, *(pair for pair in table_of(exports) if pair[0] in recorded)}
    blocked = {str(export.path): why for export in exports if (why := _whose(str(export.path), known, now))}
    free = [export for export in exports if str(export.path) not in blocked]
    made = [_blocked(at.name, directory, why) for directory, why in blocked.items()]
    wanted = table_of(free)
    stale = [
        pair
        for pair in now.ours
        if pair not in wanted and pair in now.active and pair[0] not in (now.foreign | blocked)
    ]
    differences = _differences(free, wanted, now, stale)
    if now.own_text != text(free, lab):
        differences.append(Difference(path(lab), text(free, lab), now.own_text))
    if differences:
        made.append(_change(at, free, stale, differences, now.directories, needs))
    return made


def _whose(directory: str, known: Collection[tuple[str, str]], now: Found) -> str:
    """Who exports `directory` besides us, whose exports are `known`; empty when nobody does."""
    if directory in now.foreign:
        return f"{directory} is exported by {now.foreign[directory]} already, which is not this lab's"
    others = [client for place, client in now.active if place == directory and (place, client) not in known]
    if others:
        return f"{directory} is exported to {', '.join(others)} manually; `{end(directory, others[0])}` would end that"
    return ""


def _blocked(host: str, directory: str, why: str) -> Change:
    return Change(
        key=Key(host, "export", directory),
        action="export",
        reason="its export is not this lab's",
        command="",
        carry_out=lambda: None,
        blocked=why,
    )


def _differences(
    exports: Sequence[Export], wanted: Table, now: Found, stale: list[tuple[str, str]]
) -> list[Difference]:
    made = [
        Difference(str(export.path), "a directory", "absent")
        for export in exports
        if str(export.path) not in now.directories
    ]
    for (directory, client), options in wanted.items():
        active = now.active.get((directory, client))
        name = f"{directory} for {client}"
        if active is None:
            made.append(Difference(name, "exported", "not exported"))
        else:
            made += [Difference(name, want, have) for want, have in nfs_options.differing(options, active)]
    made += [Difference(f"{directory} for {client}", "not exported", "exported") for directory, client in stale]
    return made


def _change(
    at: Observed,
    exports: Sequence[Export],
    stale: list[tuple[str, str]],
    differences: list[Difference],
    existing: frozenset[str],
    needs: frozenset[Key],
) -> Change:
    lab = at.lab
    directories = [str(export.path) for export in exports]
    in_force = [*(end(*pair) for pair in stale), *map(put_in_force, exports)]
    make = [f"mkdir -p {shlex.join(directories)} /etc/exports.d"] if directories else []
    write = [f"cat > {path(lab)} <<'END'\n{text(exports, lab)}END" if directories else f"rm -f {path(lab)}"]
    return Change(
        key=Key(at.name, "exports", " ".join(directories) or path(lab)),
        action="export",
        reason=_reason(differences),
        command="\n".join([*make, *write, *in_force]),
        carry_out=partial(_record_and_export, at.host, list(exports), lab, in_force, existing),
        differences=tuple(differences),
        needs=needs,
    )


def _reason(differences: list[Difference]) -> str:
    first = differences[0]
    more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
    if first.name.endswith(".exports"):
        return f"{first.name} is not as it was written{more}"
    return f"{first.name} is {first.found}, not {first.wanted}{more}"


def _record_and_export(
    host: Host, exports: list[Export], lab: str, in_force: list[str], existing: frozenset[str]
) -> None:
    created = {str(export.path): str(export.path) not in existing for export in exports}
    record.remember(host, lab, EXPORT.name, created)
    _export(host, exports, lab, in_force)


def _export(host: Host, exports: list[Export], lab: str, in_force: list[str]) -> None:
    doing = "export " + (", ".join(str(export.path) for export in exports) or "what is wanted")
    directories = [str(export.path) for export in exports]
    do(host, f"mkdir -p /etc/exports.d {shlex.join(directories)}", doing)
    if exports:
        written.write(host, lab, path(lab), text(exports, lab).encode())
    else:
        do(host, f"rm -f {shlex.quote(path(lab))}", doing)
        written.forget(host, lab, [path(lab)])
    # Neither -a nor -r: they would change others' exports, which an administrator may have ended or made manually.
    completed = do(host, "\n".join(["set -e", *in_force]), doing, remedies=_REMEDIES)
    _verify(host, exports, doing, completed.output)


def _verify(host: Host, exports: list[Export], doing: str, said: str) -> None:
    """exportfs ends well for exports that it only warns about.

    Look at what is in force.
    """
    active = parse(do(host, f"cat {ETAB}", doing).stdout)
    missing = [pair for pair, options in table_of(exports).items() if active.get(pair) != options]
    if not missing:
        return
    if said:
        raise failure(host.name, doing, said, remedies=_REMEDIES)
    directory, client = missing[0]
    raise HostError(
        host.name,
        f"cannot {doing}: {directory} for {client} is not in effect",
        remedy="Compare `exportfs -v` with `nfs.exports` in the inventory.",
        detail=f"in force: {active.get((directory, client), 'nothing')}",
    )
