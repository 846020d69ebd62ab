"""Which of the programs that probes may use are at a place."""

from __future__ import annotations

from clusterlab.model.kinds import kinds

from .asking import Asking
from .network import ENTERING
from .place import MissingTool, Place

# Not `command -v`: busybox's shell also names its own applets, which cannot be executed without a file of that name.
_WHICH = (
    'IFS=:; for tool in "$@"; do for dir in $PATH; do [ -x "$dir/$tool" ] && echo "$tool" && break; done; done; echo .'
)


class Tools(Asking):
    """The tools of places.

    All that probes may use are looked up at once, and remembered.
    """

    def tool(self, place: Place, *wanted: str) -> str:
        """The first of `wanted` that exists there.

        All that probes may use are looked up at once, and remembered.
        """
        there = self._tools_of(place)
        for name in wanted:
            if name in there:
                return name
        own = self.play.containers.get(place.container)
        image = own.image if own else f"that of {place.container}" if place.container else ""
        raise MissingTool(
            f"{place} has none of: {', '.join(wanted)}" if len(wanted) > 1 else f"{place} has no {wanted[0]}",
            remedy=f"use an image that has {' or '.join(wanted)} instead of {image}"
            if image
            else f"install {' or '.join(wanted)} on {place.host}",
        )

    def has(self, place: Place, tool: str) -> bool:
        """Whether a tool is there, for a probe that knows another way."""
        return tool in self._tools_of(place)

    def network_tool(self, place: Place, *wanted: str) -> str:
        """The first of `wanted` that the host of a place has, and how it is run there.

        With what enters the network of a container.
        """
        host = Place(place.host)
        for name in ENTERING if place.container else ():
            self.tool(host, name)
        return self.tool(host, *wanted)

    def _tools_of(self, place: Place) -> frozenset[str]:
        with self._lock:
            there = self._tools.get(place)
        if there is None:
            there = self._look_up_tools(place)
            with self._lock:
                self._tools[place] = there
        return there

    def _look_up_tools(self, place: Place) -> frozenset[str]:
        wanted = {tool for kind in kinds().values() for tool in kind.tools} | set(ENTERING)
        result = self.run(place, ["sh", "-c", _WHICH, "sh", *sorted(wanted)])
        lines = result.stdout.split()
        if not result.ok or lines[-1:] != ["."]:
            raise MissingTool(
                f"{place} could not be asked for its tools: {result.output or f'exit code {result.exit}'}",
                remedy="probes need an image with a shell (sh)",
                detail=result.output,
            )
        return frozenset(lines[:-1])
