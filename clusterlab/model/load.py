"""Load files as a lab, or raise an error with everything that is wrong in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from clusterlab.redaction import SECRETS

from .base import FROM_FILE, Model
from .error_text import explain
from .instances import instantiated, one_by_one
from .interpolate import Names, Reading, interpolate
from .inventory import Inventory
from .lab import Lab
from .lacking import paired, reduced, reduced_value
from .play_files import play_names
from .playbook import Play
from .problems import InvalidFiles, Problem, suggest
from .source import Document, read
from .stack_files import StackFiles
from .validate import Files, PlayFile, problems_together

if TYPE_CHECKING:
    from clusterlab.stacks.load import Loaded

_M = TypeVar("_M", bound=Model)


def load_inventory(path: Path) -> Lab:
    """The lab of an inventory, without any plays. Raises InvalidFiles."""
    return _load(path, {})


def load_lab(
    inventory: Path,
    plays: Sequence[str] = (),
    playbooks: Path = Path("playbooks"),
    stacks: Sequence[StackFiles] = (),
    without: Sequence[str] = (),
) -> Lab:
    """The lab of an inventory with the named plays.

    Or with all that are below `playbooks`, but those with `by_default: false`.

    A play's name is its path below `playbooks` without .yml, such as "volumes/nfs". Each of `stacks` becomes a play
    with the stack's name; with stacks, no plays but the named ones are loaded. A play with a stack also has the
    statements that follow from it, but for those whose keys are in `without`. From here on the values of the plays'
    environments, and the contents of their configs and secrets, are redacted in whatever leaves this process. Raises
    InvalidFiles with all that is wrong in any of the files.
    """
    if stacks and not plays:
        return _load(inventory, {}, stacks=stacks, without=without)
    found, problems = _find_plays(playbooks)
    chosen = dict.fromkeys(plays) or found
    wrong = [_no_play(name, found, playbooks) for name in chosen if name not in found]
    if not (found or plays or problems):
        wrong = [Problem(str(playbooks), 0, 0, "there are no plays (.yml files) in this folder")]
    files = {name: found[name] for name in chosen if name in found}
    return _load(inventory, files, [*problems, *wrong], stacks, without, by_default=not plays)


def _find_plays(playbooks: Path) -> tuple[dict[str, Path], list[Problem]]:
    if not playbooks.is_dir():
        return {}, [Problem(str(playbooks), 0, 0, "the folder does not exist")]
    found = {name: playbooks / f"{name}.yml" for name in play_names(playbooks)}
    other = [
        Problem(str(path), 0, 0, "a play's file must end in .yml", f"Rename it to {path.with_suffix('.yml').name}.")
        for path in sorted(playbooks.rglob("*.yaml"))
    ]
    return found, other


def _no_play(name: str, found: dict[str, Path], playbooks: Path) -> Problem:
    same_end = [other for other in found if other.rpartition("/")[2] == name]
    guess = same_end[0] if same_end else name.removesuffix(".yml").removeprefix(f"{playbooks}/")
    remedy = suggest(guess, found, "Plays")
    return Problem(str(playbooks / f"{name}.yml"), 0, 0, f"unknown play '{name}'", remedy)


def _load(
    path: Path,
    plays: dict[str, Path],
    problems: Sequence[Problem] = (),
    stacks: Sequence[StackFiles] = (),
    without: Sequence[str] = (),
    by_default: bool = False,
) -> Lab:
    from clusterlab.stacks.files_of_play import with_files
    from clusterlab.stacks.statements.of_play import with_names, with_statements  # which knows this package

    wrong = list(problems)
    document = _read(path, wrong)
    play_documents = {name: found for name, file in plays.items() if (found := _read(file, wrong))}
    if by_default:
        play_documents = {name: one for name, one in play_documents.items() if one.value.get("by_default") is not False}
    if document is None:
        raise InvalidFiles(wrong)
    names = Names(document, _defaults())
    reading = interpolate(document, names)
    inventory = _model(Inventory, reading, wrong)
    readings = {name: interpolate(one, names) for name, one in play_documents.items()}
    read_plays = {name: _model(Play, one, wrong) for name, one in readings.items()}
    files: dict[str, PlayFile] = {}
    if inventory is not None:
        files = {
            name: PlayFile(name, play_documents[name], _for(play, readings[name], inventory))
            for name, play in read_plays.items()
            if play is not None
        }
    for name, file in files.items():
        files[name], problems = with_files(file)
        wrong += problems
    loaded, of_play = _stacks(files, stacks, wrong)
    files = {name: replace(file, play=with_names(file.play, loaded.get(name))) for name, file in files.items()}
    if inventory is not None:
        wrong += problems_together(Files(path.parent, document, inventory, files))
        files = {name: replace(file, play=one_by_one(file.play)) for name, file in files.items()}
    if wrong or inventory is None:
        raise InvalidFiles(wrong)
    every = {name: file.play for name, file in files.items()}
    every |= {name: with_names(play, loaded[name]) for name, play in of_play.items()}
    known = {name: with_statements(play, loaded.get(name), without) for name, play in every.items()}
    lab = Lab(inventory, known, path.parent, path, loaded)
    SECRETS.learn([*lab.environments(), *lab.contents()], public=lab.names())
    return lab


def _stacks(
    files: Mapping[str, PlayFile], stacks: Sequence[StackFiles], wrong: list[Problem]
) -> tuple[dict[str, Loaded], dict[str, Play]]:
    """The stacks of plays, and stack files with the plays that stand for them.

    Adds what is wrong.
    """
    from clusterlab.stacks.load import load_stack  # which knows this package
    from clusterlab.stacks.statements import unknown_keys

    loaded: dict[str, Loaded] = {}
    for name, file in files.items():
        if file.play.stack:
            folder = Path(file.document.file).parent
            variables, problems = file.play.stack.variables(folder)
            loaded[name] = load_stack(file.play.stack.paths(folder), file.play.stack.name, variables)
            wrong += problems
    of_play: dict[str, Play] = {}
    for stack in stacks:
        found = load_stack(stack.files, stack.name)
        name = stack.name or found.name
        if name in files or name in of_play:
            wrong.append(
                Problem(stack.files[0], 0, 0, f"there is another play or stack '{name}'", "Give --stack NAME.")
            )
        loaded[name] = found
        of_play[name] = Play(title=f"the stack {name}", stack=stack)
    names = [one.name for one in loaded.values()]
    for one in loaded.values():
        wrong += [*one.problems, *unknown_keys(one)]
        if names.count(one.name) > 1:
            remedy = "A Swarm has one stack of a name: give each its own."
            wrong.append(Problem(one.files[0], 0, 0, f"two plays have a stack '{one.name}'", remedy))
    return loaded, of_play


def _read(path: Path, wrong: list[Problem]) -> Document | None:
    try:
        return read(path)
    except InvalidFiles as error:
        wrong += error.problems
        return None


def _for(play: Play, reading: Reading, inventory: Inventory) -> Play:
    """A play as it is on an inventory.

    Without what that lacks, and with a container on each of its hosts.
    """
    return paired(instantiated(reduced(play, reading.lacking, inventory), inventory), inventory)


def _model(model: type[_M], reading: Reading, wrong: list[Problem]) -> _M | None:
    """The validated model of a document, or None with what is wrong added to `wrong`."""
    document = reading.document
    reported = {document.at(path) for path in reading.unresolved}
    value = reduced_value(document.value, reading.lacking) if reading.lacking else document.value
    try:
        made = model.model_validate(value, context=FROM_FILE)
    except ValidationError as error:
        explained = explain(error, model, document)
        wrong += [*reading.problems, *(found for found in explained if (found.line, found.column) not in reported)]
        return None
    wrong += reading.problems
    return None if reading.unresolved else made


@cache
def _defaults() -> dict[str, Any]:
    """What `${...}` reads of an inventory that leaves a key out."""
    fields = {name: field.default for name, field in Inventory.model_fields.items() if not field.is_required()}
    return {
        name: value.model_dump(mode="json") if isinstance(value, Model) else value
        for name, value in fields.items()
        if isinstance(value, Model | str)
    }
