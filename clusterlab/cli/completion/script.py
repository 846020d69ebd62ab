"""The completion script of a shell.

It has the verbs and options, and calls `clusterlab --complete` for names.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext

from clusterlab.cli.program import plain_word
from clusterlab.cli.registry import summary
from clusterlab.cli.verbose import HELP as VERBOSE
from clusterlab.errors import UsageError

SOURCES = {
    "play": "plays",
    "inventory": "inventories",
    "host": "hosts",
    "hosts": "hosts",
    "snapshot": "snapshots",
    "name": "runs",
    "compare": "runs",
    "lab": "labs",
    "names": "hosts",
    "explain": "codes",
    "only": "properties",
    "fault": "faults",
    "resolve_image": "resolutions",
    "start": "starts",
    "keep": "keeping",
}
"""What a parameter takes, by its name; other values are names of files. See `values`."""
_SHORT = {"inventory": ["-i"], "compose_file": ["-c"], "follow": ["-f"]}


def completion_script(shell: str, verbs: Mapping[str, ParserContext]) -> str:
    """The script for bash, zsh or fish; raises UsageError for any other shell."""
    if shell == "bash":
        return _bash(verbs)
    if shell == "zsh":
        return _ZSH + _bash(verbs)
    if shell == "fish":
        return "\n".join(_fish(verbs)) + "\n"
    raise UsageError(
        f"there is no completion for {shell!r}" if shell else "a shell is required",
        remedy="Name bash, zsh or fish.",
    )


def _options(context: ParserContext) -> list[Argument]:
    return [one for one in context.args.values() if one.name not in (plain_word(context), "command")]


def _flag(argument: Argument) -> str:
    return f"--{str(argument.name).strip('_').replace('_', '-')}"


def _word(context: ParserContext) -> str:
    """The source of a verb's plain words; empty when it has none."""
    return SOURCES.get(plain_word(context), "")


_ZSH = """\
autoload -U +X compinit bashcompinit
(( $+functions[compdef] )) || compinit
bashcompinit
"""
_BASH = """\
_clusterlab() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
    local flags= source= words=
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "@VERBS@ --help --version" -- "$current"))
        return
    fi
    case $verb in
@CASES@
        *) COMPREPLY=(); return ;;
    esac
    case " $source" in
        " files") COMPREPLY=($(compgen -f -- "$current")); return ;;
        " ") case $current in -*) COMPREPLY=($(compgen -W "$flags --help --verbose" -- "$current")); return ;; esac
            source=$words ;;
    esac
    COMPREPLY=()
    [ -n "$source" ] || return
    words=$(clusterlab --complete "$source" "${COMP_WORDS[@]:2}" 2>/dev/null)
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    case $source in inventories) COMPREPLY+=($(compgen -f -- "$current")) ;; esac
}
complete -o filenames -F _clusterlab clusterlab
"""


def _bash(verbs: Mapping[str, ParserContext]) -> str:
    cases = "\n".join(_bash_case(name, context) for name, context in verbs.items())
    return _BASH.replace("@VERBS@", " ".join(verbs)).replace("@CASES@", cases)


def _bash_case(verb: str, context: ParserContext) -> str:
    options = _options(context)
    flags = " ".join(_flag(one) for one in options)
    after = "".join(
        f" {'|'.join([_flag(one), *_SHORT.get(str(one.name), [])])}) source={SOURCES.get(str(one.name), 'files')} ;;"
        for one in options
        if one.takes_value
    )
    values = f"; case $previous in{after} esac" if after else ""
    return f"        {verb}) flags={shlex.quote(flags)} words={_word(context)}{values} ;;"


def _fish(verbs: Mapping[str, ParserContext]) -> Iterator[str]:
    yield "complete -c clusterlab -f"
    for name, context in verbs.items():
        yield f"complete -c clusterlab -n __fish_use_subcommand -a {name} -d {shlex.quote(summary(name))}"
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        if _word(context):
            yield f"complete -c clusterlab {seen} -a {_ask(_word(context))}"
        for one in _options(context):
            yield f"complete -c clusterlab {seen} {' '.join(_fish_option(one))}"
    yield f"complete -c clusterlab -l verbose -s v -d {shlex.quote(VERBOSE)}"


def _ask(source: str) -> str:
    return f"'(clusterlab --complete {source} (commandline -opc) 2>/dev/null)'"


def _fish_option(one: Argument) -> Sequence[str]:
    text = [f"-l {_flag(one)[2:]}", *(f"-s {short[1:]}" for short in _SHORT.get(str(one.name), []))]
    if one.takes_value:
        source = SOURCES.get(str(one.name))
        files = "" if source and source != "inventories" else " -F"
        text.append(f"-r{files}" + (f" -a {_ask(source)}" if source else ""))
    return [*text, f"-d {shlex.quote(one.help or '')}"]
