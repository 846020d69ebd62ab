"""A family of kinds, found in one place.

Those of this package, and those that installed packages add.

A package adds a kind with an entry point whose group is the family (`clusterlab.checks`, `clusterlab.resources`,
`clusterlab.machines`, `clusterlab.faults`) and whose value is the kind's object. See
https://packaging.python.org/en/latest/specifications/entry-points/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Generic, Protocol, TypeVar

from clusterlab.errors import UsageError


class Named(Protocol):
    """What a registry holds: an object with the name that people write."""

    @property
    def name(self) -> str: ...


K = TypeVar("K", bound=Named)


class Registry(Mapping[str, K], Generic[K]):
    """Kinds by name: this package's in their order, then those of other packages.

    The latter by name.

    Other packages are asked once, when a kind is first looked up. Raises UsageError for one that cannot be loaded, is
    not of the family's type, or has a name that is taken.
    """

    def __init__(self, family: str, kind: type[K], own: Sequence[K]) -> None:
        self.family = family
        self._kind = kind
        self._own = own
        self._kinds: dict[str, K] | None = None

    def takes(self, kind: object) -> bool:
        """Whether it is a kind of this family."""
        return isinstance(kind, self._kind)

    def add(self, kind: K) -> None:
        """Add a kind for this process, before files are read. Raises UsageError when its name is taken."""
        if kind.name in self._all():
            raise UsageError(f"{self.family}: the name {kind.name!r} is taken", remedy="Rename that kind.")
        self._own = [*self._own, kind]
        self._kinds = None

    def __getitem__(self, name: str) -> K:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, K]:
        if self._kinds is None:
            kinds = {one.name: one for one in self._own}
            for point in sorted(entry_points(group=self.family), key=lambda point: point.name):
                found = self._loaded(point.load, f"{point.name} = {point.value}")
                if found.name in kinds:
                    raise UsageError(
                        f"entry point {self.family}: {point.name} = {point.value}: the name {found.name!r} is taken",
                        remedy="Rename that kind, or uninstall the package that adds it.",
                    )
                kinds[found.name] = found
            self._kinds = kinds
        return self._kinds

    def _loaded(self, load: object, what: str) -> K:
        assert callable(load)
        try:
            found = load()
        except Exception as error:  # whatever another package raises while it is imported
            raise UsageError(
                f"entry point {self.family}: {what} cannot be loaded: {type(error).__name__}: {error}",
                remedy="Fix or uninstall the package that adds it.",
            ) from error
        if not isinstance(found, self._kind):
            raise UsageError(
                f"entry point {self.family}: {what} is {type(found).__name__}, not {self._kind.__name__}",
                remedy="Fix or uninstall the package that adds it.",
            )
        return found
