"""The Invoke program: `clusterlab VERB [PLAY ...] [options]`.

Invoke wants a flag for every value and stops with 1 on wrong usage; people want to name plays after the verb, and 2.
Its configuration files are not read: one of their kinds is Python code found in the current folder.
"""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from collections.abc import Sequence

from invoke import Collection, Config, Program
from invoke.exceptions import Exit, ParseError
from invoke.parser.context import ParserContext

import clusterlab
from clusterlab.cli.registry import by_group, summary
from clusterlab.cli.verbose import FLAGS
from clusterlab.cli.verbose import HELP as VERBOSE
from clusterlab.errors import UsageError

SCRIPT_FLAG = "--print-completion-script"
SHORT = {"-i": "--inventory", "-c": "--compose-file", "-f": "--follow"}
SINGLE = ("host", "title", "name", "snapshot", "manager", "fault")
"""Parameters that are given once, as a plain word after the verb."""
SEVERAL = ("play", "hosts", "names")
"""Parameters that may be given repeatedly, as plain words after the verb."""
_OWN_FLAGS = ("--help", "-h", "--version", "-V", "--list", "-l")
"""Options without a verb."""
_WORDS = {
    "host": " HOST [-- COMMAND ...]",
    "title": " [CHECK]",
    "name": " [NAME]",
    "snapshot": " NAME",
    "manager": " [MANAGER]",
    "fault": " FAULT",
}
_HIDDEN = (
    "--play=",
    "--hosts=",
    "--names=",
    "--command=",
    *(f"--{name}=" for name in SINGLE),
)  # in the usage line already


class OwnConfig(Config):
    """Invoke's configuration without any file."""

    def load_system(self, merge: bool = True) -> None:
        """Read nothing."""

    def load_user(self, merge: bool = True) -> None:
        """Read nothing."""

    def load_project(self, merge: bool = True) -> None:
        """Read nothing."""

    def load_runtime(self, merge: bool = True) -> None:
        """Read nothing."""


class Clusterlab(Program):
    """Invoke's program with plays as plain words, and with our errors and help."""

    namespace: Collection

    def parse_core(self, argv: list[str] | None) -> None:
        given = list(sys.argv if argv is None else argv)
        verbs = {str(context.name): context for context in self.namespace.to_contexts()}
        flag, equals, shell = given[1].partition("=") if given[1:] else ("", "", "")
        if flag == SCRIPT_FLAG:
            from clusterlab.cli.completion.script import completion_script

            print(completion_script(shell if equals else "".join(given[2:3]), verbs), end="")
            raise Exit(code=0)
        super().parse_core([given[0], *words_as_flags(given[1:], verbs)])

    def parse_tasks(self) -> None:
        try:
            super().parse_tasks()
        except ParseError as error:
            raise UsageError(str(error), remedy=f"`{self.binary} --help` lists verbs and options.") from error

    def no_tasks_given(self) -> None:
        self.print_help()
        raise Exit(code=2)

    def update_config(self, merge: bool = True) -> None:
        self.config.merge()

    def print_help(self) -> None:
        print(f"{clusterlab.__doc__}\n\nUsage: {self.binary} VERB [PLAY ...] [-i INVENTORY] [options]\n")
        for title, verbs in by_group().items():
            print(f"{title}:")
            for name in verbs:
                print(f"  {name:<12} {summary(name)}")
            print()
        print(f"`{self.binary} VERB --help` shows a verb's arguments, `{self.binary} --version` the version.")
        print(f"`{self.binary} VERB -v` also shows each command and request on a host.")
        print(f'`eval "$({self.binary} {SCRIPT_FLAG} bash)"` completes them; zsh and fish have scripts too.')

    def print_task_help(self, name: str) -> None:
        context = self.parser.contexts[name]
        plays = " [PLAY ...]" if "play" in context.args else ""
        plays += " [HOST ...]" if _several(context) == "hosts" else ""
        plays += " [HOST|SERVICE|CONTAINER ...]" if _several(context) == "names" else ""
        single = _WORDS.get(_single(context), "")
        print(f"Usage: {self.binary} {name}{single}{plays} [options]\n\n{inspect.getdoc(self.collection[name])}\n")
        rows = [row for row in context.help_tuples() if not row[0].startswith(_HIDDEN)]
        rows.append((", ".join(FLAGS), VERBOSE))
        self.print_columns([(_with_short(flags), text) for flags, text in rows])


def _with_short(flags: str) -> str:
    """A row of help, with the short form of its flag."""
    short = next((one for one, long in SHORT.items() if flags.split("=")[0] == long), "")
    return f"{short}, {flags}" if short else flags


def words_as_flags(words: Sequence[str], verbs: dict[str, ParserContext]) -> list[str]:
    """Command-line words as Invoke wants them.

    Plays and hosts behind flags, `-i` spelled out, `--help` up front.

    Raises UsageError for an unknown verb, and for a word that its verb has no use for.
    """
    before, after = _split(words, "--")
    at = next((index for index, word in enumerate(before) if not word.startswith("-")), None)
    if at is None:
        for word in before:
            if word not in _OWN_FLAGS:
                raise UsageError(f"unknown option {word}", remedy="`clusterlab --help` lists verbs and options.")
        return list(words)
    verb, rest = before[at], before[at + 1 :]
    if before[:at] in (["--help"], ["-h"]):
        return list(words)
    if verb not in verbs:
        near = difflib.get_close_matches(verb, [*verbs, "--help", "--version"], n=1)
        guess = f"Did you mean {near[0]!r}? " if near else ""
        raise UsageError(f"unknown verb {verb!r}", remedy=f"{guess}`clusterlab --help` lists the verbs.")
    if "--help" in rest or "-h" in rest:
        return ["--help", verb]
    flags = _arguments(verb, rest, verbs[verb])
    if after and "command" not in verbs[verb].args:
        raise UsageError(f"{verb}: does not run a command", remedy="Leave out `--` and what follows it.")
    return [*before[:at], verb, *flags, *([f"--command={' '.join(after[1:])}"] if after else [])]


def _split(words: Sequence[str], mark: str) -> tuple[list[str], list[str]]:
    at = list(words).index(mark) if mark in words else len(words)
    return list(words[:at]), list(words[at:])


def _arguments(verb: str, words: Sequence[str], context: ParserContext) -> list[str]:
    flags: list[str] = []
    single = _single(context)
    rest = iter(words)
    for word in rest:
        if word.startswith("-") and word != "-":
            flag, equals, value = word.partition("=")
            flag = long if (long := SHORT.get(flag, flag)) in context.flags else flag
            flags.append(flag + equals + value)
            _known(verb, flag, context)
            argument = context.flags[flag]
            if argument.takes_value:
                if not equals:
                    value = _value(flag, next(rest, None))
                    flags.append(value)
                _fits(flag, value, argument.kind)
        elif several := _several(context):
            flags += [f"--{several}", word]
        elif single and f"--{single}" not in flags:
            flags += [f"--{single}", word]
        else:
            raise UsageError(
                f"{verb}: does not take {word!r}", remedy=f"`clusterlab {verb} --help` shows what it takes."
            )
    return flags


def _single(context: ParserContext) -> str:
    return next((name for name in SINGLE if name in context.args), "")


def _several(context: ParserContext) -> str:
    """The parameter that takes plain words; `heal` has a flag of the name `hosts`."""
    return next((name for name in SEVERAL if name in context.args and context.args[name].kind is list), "")


def plain_word(context: ParserContext) -> str:
    """The parameter that a verb's plain words are given to; empty when it takes none."""
    return _several(context) or _single(context)


def _known(verb: str, flag: str, context: ParserContext) -> None:
    if flag in context.flags:
        return
    near = difflib.get_close_matches(flag, context.flags, n=1)
    guess = f"Did you mean {near[0]}? " if near else ""
    raise UsageError(f"{verb}: has no option {flag}", remedy=f"{guess}`clusterlab {verb} --help` lists its options.")


def _fits(flag: str, value: str, kind: type) -> None:
    """Raise UsageError for a word where a number is wanted.

    Invoke would end with a traceback.
    """
    if kind is int and not re.fullmatch(r"-?\d{1,9}", value):
        raise UsageError(f"{flag} needs a whole number, not {value!r}", remedy=f"For example {flag} 5.")


def _value(flag: str, word: str | None) -> str:
    if word is None or (word.startswith("-") and word != "-"):
        raise UsageError(
            f"{flag} needs a value", remedy=f"Write {flag} VALUE, or {flag}=VALUE when it begins with a dash."
        )
    return word
