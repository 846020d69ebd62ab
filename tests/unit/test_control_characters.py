"""What terminals obey, taken out of text from hosts and containers."""

from __future__ import annotations

import pytest

from clusterlab.control_characters import plain


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b]52;c;aGVsbG8=\x07clipboard", "clipboard"),
        ("\x1b]52;c;aGVsbG8=\x1b\\clipboard", "clipboard"),
        ("\x9d52;c;aGVsbG8=\x9cclipboard", "clipboard"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]2;owned\x1b\\title", "title"),
        ("\x1b]8;;http://evil/\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x1b[2J\x1b[H\x1b[10;10Hb", "ab"),
        ("a\x9b1;1Hb", "ab"),
        ("\x1b[31;1mred\x1b[0m", "red"),
        ("\x1bP1$r0m\x1b\\device", "device"),
        ("\x1b_payload\x1b\\program", "program"),
        ("\x1bcreset \x1b(0lines\x1b(B \x1b7", "reset lines "),
        ("\x1b]52;c;never ended", "52;c;never ended"),
        ("\x1b]0;over\ntwo lines\x07", "0;over\ntwo lines"),
        ("bell\x07 back\x08space nul\x00 del\x7f esc\x1b", "bell backspace nul del esc"),
        ("pass \u202ewollof\u202c \u2066x\u2069 \u200f", "pass wollof x "),
        ("10%\r20%\r\nline\u2028end\x85", "10%\n20%\nline\nend\n"),
        ("tab\tand\nline: äß → 漢字 👩‍💻", "tab\tand\nline: äß → 漢字 👩‍💻"),
        ("half \ud800 tag \U000e0041", "half  tag "),
    ],
)
def test_only_the_text_is_left(text: str, left: str) -> None:
    assert plain(text) == left
    assert plain(plain(text)) == left
