from __future__ import annotations

from pathlib import Path

from clusterlab.cli.verb import DRY_RUN, Call, err, out, verb
from clusterlab.pipeline.lock import Unlocked


@verb(
    Unlocked("reads hosts at most, and writes files of the current folder"),
    {
        "from_": "an Ansible inventory (a file), or a host of a running cluster, as for ssh: it is read, not changed",
        "as_lab": "with --from: virtual machines like those hosts, instead of the hosts themselves",
        "lab": "the lab's name (default: the folder's name)",
        "to": "the folder to write to",
        "dry_run": DRY_RUN,
    },
)
def init(
    call: Call, from_: str = "", as_lab: bool = False, lab: str = "", to: str = ".", dry_run: bool = False
) -> None:
    """Write an inventory and a first play, from defaults or an existing cluster.

    An Ansible inventory can be read as well.
    """
    from clusterlab.cli.lab_names import check_lab_name
    from clusterlab.cli.locations import shipped
    from clusterlab.errors import ClusterlabError, UsageError
    from clusterlab.init import ansible, cluster, defaults, text
    from clusterlab.init.found import host_name
    from clusterlab.model import load_lab
    from clusterlab.reports.progress import progress_on

    if as_lab and not from_:
        raise UsageError("--as-lab has no effect without --from", remedy="Name a host of the cluster with --from.")
    folder = Path(to)
    name = check_lab_name(lab) if lab else host_name(folder.resolve().name)
    if Path(from_).suffix in (".ini", ".yml", ".yaml") and not Path(from_).is_file():
        raise UsageError(f"--from: {from_}: the file does not exist", remedy="Name an Ansible inventory, or a host.")
    if from_:
        with progress_on(err()) as progress:
            file = Path(from_)
            found = ansible.read(file, name) if file.is_file() else cluster.read(from_, name, progress)
        files = {
            "inventory/default.yml": text.inventory(found, as_lab),
            "playbooks/first.yml": text.play(found, as_lab),
        }
    else:
        default = shipped("inventory/default.yml").read_text(encoding="utf-8")
        files = {"inventory/default.yml": defaults.inventory(default, name), "playbooks/first.yml": defaults.PLAY}
    if dry_run:
        for path, content in files.items():
            out().print(f"# {path}\n{content}", highlight=False, markup=False, soft_wrap=True)
        return
    existing = [path for path in files if (folder / path).exists()]
    if existing:
        raise UsageError(
            f"{', '.join(existing)}: already exists; nothing was written",
            remedy="Write to another folder with --to, or see what would be written with --dry-run.",
        )
    for path, content in files.items():
        try:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
        except OSError as error:
            raise ClusterlabError(
                f"{folder / path} cannot be written: {error.strerror}", remedy="Write to another folder with --to."
            ) from error
        out().print(f"wrote {folder / path}", highlight=False, soft_wrap=True)
    load_lab(folder / "inventory/default.yml", ["first"], folder / "playbooks")
    next_step = "clusterlab check" if from_ and not as_lab else "clusterlab run"
    where = "" if folder == Path() else f"cd {folder} && "
    out().print(f"Review them, then: {where}{next_step}", highlight=False, soft_wrap=True)
