"""Draw the pictures of the documentation: `make pictures`.

Each is a recorded run (`docs/pictures/NAME.json`, written by `--json`) as today's clusterlab shows it: in a terminal,
or on a page, photographed with Chromium. A test fails when a picture is out of date. `python -m docs.pictures --record`
records the runs again: as root, on engines in namespaces.
"""

from __future__ import annotations

import html
import io
import json
import re
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console

from clusterlab.model import load_lab
from clusterlab.nightly.nightly_run import from_run
from clusterlab.reports.html import page
from clusterlab.reports.picture import picture_of
from clusterlab.reports.summary import Run
from clusterlab.reports.terminal import show_results
from clusterlab.results import Chain, Result

FOLDER = Path(__file__).parent / "pictures"
COMMANDS = {
    "run": ["clusterlab run networks/host volumes/persistence"],
    "failure": ["clusterlab ssh host1 -- docker stop alpha", "clusterlab check networks/overlay"],
}
"""What each picture shows; the last command is the one whose results are drawn."""
_PREPARE = {"failure": ["clusterlab run networks/overlay"]}
_CLEAN_UP = "clusterlab down"
_WIDTH = 128
PAGES = {"failure": ["networks/overlay"]}
"""The runs whose pages are photographed, with their plays."""
_PAGE_TOP = (1000, 1260)  # pixels: the verdict, its cause, and the picture of the lab


def drawn(name: str) -> str:
    """A picture as SVG, with the fonts of the reader's computer."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="standard")
    for command in COMMANDS[name]:
        console.print(f"[bold]$[/bold] {command}", highlight=False)
    show_results(console, recorded(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))))
    svg = console.export_svg(title="clusterlab", unique_id=f"clusterlab-{name}")
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def page_of(name: str) -> str:
    """The page of a recorded run, as `--html` writes it."""
    run = recorded(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))
    lab = load_lab(FOLDER / "lab.yml", PAGES[name], FOLDER.parents[1] / "playbooks")
    return page(from_run(run, [], picture_of(lab)))


def words_on(text: str) -> list[str]:
    """What a page says, without how it looks."""
    return html.unescape(re.sub(r"<(style|svg)\b.*?</\1>|<[^>]+>", " ", text, flags=re.DOTALL)).split()


def photograph(name: str) -> None:
    """Photograph the top of a page, and keep what the page says beside it."""
    from tests.support.browser import browser

    with tempfile.TemporaryDirectory() as folder, browser(Path(folder) / "profile") as shown:
        file = Path(folder) / "page.html"
        file.write_text(page_of(name), encoding="utf-8")
        shown.size(*_PAGE_TOP)
        shown.open(file)
        shown.screenshot(FOLDER / f"{name}-page.png", _PAGE_TOP)
    (FOLDER / f"{name}-page.txt").write_text("\n".join(words_on(page_of(name))) + "\n", encoding="utf-8")


def recorded(document: dict[str, Any]) -> Run:
    """The run that a `--json` document describes."""
    results = TypeAdapter(list[Result]).validate_python(document["results"])
    known = {(result.play, result.check): result for result in results}
    chain = Chain(tuple(known[one["play"], one["check"]] for one in document["chain"]["checks"]))
    started = datetime.fromisoformat(document["started"])
    return Run(
        document["lab"], document["verb"], started, document["seconds"], document["stages"], results, chain=chain
    )


def record(name: str) -> None:
    """Carry the commands of a picture out, and keep the results of the last one."""
    *before, last = COMMANDS[name]
    try:
        for command in (*_PREPARE.get(name, ()), *before):
            subprocess.run(_words(command), check=True)
        subprocess.run([*_words(last), "--json", str(FOLDER / f"{name}.json")], check=False)
    finally:
        subprocess.run(_words(_CLEAN_UP), check=True)


def _words(command: str) -> list[str]:
    verb, *rest = command.split()[1:]
    return [sys.executable, "-m", "clusterlab", verb, "-i", str(FOLDER / "lab.yml"), *rest]


def main(words: list[str]) -> None:
    for name in COMMANDS:
        if words == ["--record"]:
            record(name)
        (FOLDER / f"{name}.svg").write_text(drawn(name), encoding="utf-8")
        print(FOLDER / f"{name}.svg")
    for name in PAGES:
        photograph(name)
        print(FOLDER / f"{name}-page.png")


if __name__ == "__main__":
    main(sys.argv[1:])
