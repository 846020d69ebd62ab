"""Advice on stacks that load, but do something else than they seem to.

Every kind is an object of a registry, whose keys people use to mute it; docs/advice.md is generated from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from clusterlab.model.problems import Problem, suggest
from clusterlab.registry import Registry
from clusterlab.stacks.load import Loaded
from clusterlab.stacks.variables import without_values

from . import nfs, placement, services, text, volumes
from .kind import Advice, AdviceKind, Hit, Subject
from .on_lab import LAB_ADVICE

__all__ = ["ADVICE", "LAB_ADVICE", "Advice", "AdviceKind", "Hit", "Subject", "advise", "unknown_mutes"]

ADVICE = Registry(
    "clusterlab.advice", AdviceKind, [*nfs.KINDS, *volumes.KINDS, *services.KINDS, *placement.KINDS, *text.KINDS]
)


def unknown_mutes(loaded: Loaded) -> list[Problem]:
    """What files mute although there is no such advice."""
    known = [*ADVICE, *LAB_ADVICE]
    return [
        place.problem(f"x-clusterlab.mute: there is no advice '{key}'", suggest(key, known, "Advice"))
        for key, place in loaded.muted.items()
        if key.partition(":")[0] not in known
    ]


def advise(loaded: Loaded, mute: Iterable[str] = ()) -> list[Advice]:
    """All advice on some stack files but what is muted, in the order of the files.

    A key such as ignored-key:tmpfs is muted by itself, or with all of its kind by ignored-key. For a stack that does
    not load, it is the advice on the text of the files, but for lines that have an error.
    """
    muted = {*mute, *loaded.muted}
    broken = {(problem.file, problem.line) for problem in loaded.problems}
    found = {
        advice
        for kind in ADVICE.values()
        if loaded.stack is not None or kind.from_text
        for advice in _found(kind, Subject(loaded))
        if not {advice.key, kind.name} & muted and (advice.file, advice.line) not in broken
    }
    places = {file: index for index, file in enumerate(loaded.files)}
    first: dict[tuple[str, str, int, int], Advice] = {}
    for advice in sorted(found):  # an anchor that several services share is advised once
        first.setdefault((advice.key, advice.file, advice.line, advice.column), advice)
    return sorted(first.values(), key=lambda advice: (places.get(advice.file, len(places)), advice))


def _found(kind: AdviceKind, subject: Subject) -> Iterator[Advice]:
    for hit in kind.find(subject):
        key = f"{kind.name}:{hit.detail}" if hit.detail else kind.name
        message = f"{hit.subject}: {kind.reason}{f': {hit.more}' if hit.more else ''}"
        message = without_values(message, subject.loaded.sources, subject.loaded.environment)
        yield Advice(*hit.place, key, message, kind.remedy)
