"""What an NFS server exports, by exports(5) files and by the server's table."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clusterlab.model.inventory import Export

from . import nfs_options

ETAB = "/var/lib/nfs/etab"
_FILE = "\n@ "  # how the answer marks where a file begins; the line before may not have ended

Table = dict[tuple[str, str], dict[str, str]]
"""Effective options by directory and client."""


@dataclass(frozen=True)
class Found:
    """What one server has.

    Exports in force, the lab's file, other files' directories, and which wanted ones exist.
    """

    active: Table
    ours: Table
    own_text: str
    foreign: dict[str, str]  # directory: the file that exports it
    directories: frozenset[str]


def path(lab: str) -> str:
    """The lab's file, see exports(5)."""
    return f"/etc/exports.d/clusterlab-{lab}.exports"


def question(directories: Sequence[str]) -> str:
    """Script that prints existing directories, and every file with exports."""
    return f"""
for directory in {shlex.join(directories)}; do [ -d "$directory" ] && echo "$directory"; done
for file in {ETAB} /etc/exports /etc/exports.d/*.exports; do
    [ -f "$file" ] && printf '\\n@ %s\\n' "$file" && cat "$file"
done
"""


def found(answer: str, lab: str) -> Found:
    """What the answer to `question` says."""
    head, *files = f"\n{answer}".split(_FILE)
    texts = {name: text for name, _, text in (file.partition("\n") for file in files)}
    own_text = texts.pop(path(lab), "")
    active = parse(texts.pop(ETAB, ""))
    foreign = {directory: name for name, text in texts.items() for directory, _ in parse(text)}
    return Found(active, parse(own_text), own_text, foreign, frozenset(head.splitlines()))


def parse(text: str) -> Table:
    """The exports in a file as exports(5) has it, or in the server's table."""
    table: Table = {}
    for line in text.replace("\\\n", " ").splitlines():
        words = re.findall(r'"[^"]*"\S*|[^\s"]+', line.partition("#")[0])
        if not words:
            continue
        directory = _unescaped(words[0].strip('"')).rstrip("/") or "/"
        common = [part for word in words[1:] if word.startswith("-") for part in word[1:].split(",")]
        for word in words[1:]:
            if not word.startswith("-"):
                name, _, options = word.partition("(")
                given = [part for part in options.rstrip(")").split(",") if part]
                table[directory, nfs_options.client(name)] = nfs_options.effective(common + given)
        if len(words) == 1:
            table[directory, "*"] = nfs_options.effective([])
    return table


def _unescaped(word: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), word)


def _escaped(word: str) -> str:
    return re.sub(r'[\s"#\\]', lambda match: f"\\{ord(match[0]):03o}", word)


def text(exports: Iterable[Export], lab: str) -> str:
    """The lab's file; empty without exports."""
    lines = [
        f"{_escaped(str(export.path))} "
        + " ".join(f"{client}({','.join(export.options)})" for client in export.clients)
        for export in exports
    ]
    return "\n".join([f"# Written by clusterlab for the lab {lab}.", *lines, ""]) if lines else ""


def put_in_force(export: Export) -> str:
    """Command that exports a directory, whatever it was exported as before.

    It reads no file (`-i`), so it has no effect on any other export.
    """
    options = ["-o", ",".join(export.options)] if export.options else []
    return shlex.join(["exportfs", "-i", *options, *(named(str(export.path), client) for client in export.clients)])


def end(directory: str, client: str) -> str:
    """Command that ends the export of a directory to a client."""
    return shlex.join(["exportfs", "-u", named(directory, client)])


def named(directory: str, client: str) -> str:
    """An export as exportfs(8) takes it."""
    if ":" in client:  # IPv6
        address, slash, length = client.partition("/")
        client = f"[{address}]{slash}{length}"
    return f"{client}:{directory}"


def table_of(exports: Iterable[Export]) -> Table:
    return {
        (str(export.path), nfs_options.client(client)): nfs_options.effective(export.options)
        for export in exports
        for client in export.clients
    }
