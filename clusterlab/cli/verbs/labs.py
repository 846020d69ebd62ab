from __future__ import annotations

from pathlib import Path

from clusterlab.cli.verb import JSON, Call, out, verb
from clusterlab.pipeline.lock import Unlocked


@verb(Unlocked("reads only"), {"json": JSON})
def labs(call: Call, json: str = "") -> None:
    """List every lab of this workstation, also those whose files are gone."""
    from dataclasses import asdict

    from clusterlab.nightly.labs import labs as known
    from clusterlab.reports.summary import write_json
    from clusterlab.reports.tables import bytes_text, show_rows

    found = known()
    if json:
        write_json(Path(json), {"labs": [asdict(lab) for lab in found]})
    if json == "-":
        return
    if not found:
        out().print("No lab is known on this workstation.")
        return
    rows = [
        {
            "lab": lab.name,
            "kind": lab.kind,
            "machines": lab.machines,
            "folder": lab.folder if lab.folder_exists else f"{lab.folder} (gone)" if lab.folder else "unknown",
            "runs": str(lab.runs),
            "last run": lab.last,
            "saved": bytes_text(lab.saved) if lab.saved else "",
        }
        for lab in found
    ]
    show_rows(out(), list(rows[0]), rows)
