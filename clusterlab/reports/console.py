"""The console that everything is printed on.

It passes on no control characters but its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from clusterlab.control_characters import plain


class PlainConsole(Console):
    """A console whose texts are plain, whoever wrote them.

    Styles and the moving lines of progress are Rich's own.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain(segment.text), segment.style)
