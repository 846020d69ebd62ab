"""MkDocs hook: reference pages from the code's own registries and models, so that they cannot be out of date."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mkdocs.structure.files import File, Files

from clusterlab.reference import PAGES


def on_files(files: Files, config: Any, **_: Any) -> Files:
    """Add a page for each part of the reference, and the changelog, which stands beside the README."""
    for path, content in _generated():
        files.append(File.generated(config, path, content=content))
    return files


def _generated() -> Iterator[tuple[str, str]]:
    for name, page in PAGES.items():
        yield f"reference/{name}.md", page()
    with open("CHANGELOG.md", encoding="utf-8") as file:
        yield "changelog.md", file.read()
