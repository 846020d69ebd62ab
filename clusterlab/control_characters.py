"""Text from hosts and containers without what a terminal would obey.

Whoever writes a container's log must not set a window's title, fill the clipboard, move the cursor over other lines
or turn text around. Escape sequences: ECMA-48, and
https://invisible-island.net/xterm/ctlseqs/ctlseqs.html; direction marks: https://trojansource.codes/.
"""

from __future__ import annotations

import re

_STRING = "[^\x00-\x08\x0a-\x1f\x7f-\x9f]*"  # what an operating system command or the like carries, on one line
_SEQUENCE = re.compile(
    f"(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f]){_STRING}(?:\x07|\x1b\\\\|\x9c)"  # title, clipboard, hyperlink, DCS, APC
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: cursor, colour, erasing
    "|\x1b[ -/]*[0-~]"  # one function, or a character set
)
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for tab and line feed, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks and overrides
    "\u2028\u2029\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"  # separators, surrogates, annotations, tags
)
_LINE_END = re.compile("\r+\n|[\r\u2028\u2029\x85]")


def plain(text: str) -> str:
    """The text without escape sequences, control characters and direction marks.

    Tabs and line feeds stay; a carriage return and other line ends become a line feed, so that each state of a
    progress bar is a line of its own.
    """
    if not _CONTROL.search(text):
        return text
    return _CONTROL.sub("", _SEQUENCE.sub("", _LINE_END.sub("\n", text)))
