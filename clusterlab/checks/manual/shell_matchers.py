"""Matchers as shell commands that look at `$found`.

grep -P has Perl's regular expressions, which are Python's but for rarities.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator

from clusterlab.model.matcher import MatcherSpec

from ..matcher import expects_nothing

_FOUND = '"$found"'
_NOTHING = "'[]'|'{}'|null"

_EVENLY = (
    r'BEGIN { n = split(names, w, "\n"); for (i = 1; i <= n; i++) c[w[i]] = 0 } '
    "{ if ($0 in c) c[$0]++; else other = 1 } "
    "END { min = NR; for (i in c) { if (c[i] < min) min = c[i]; if (c[i] > max) max = c[i] } "
    "exit other || max - min > 1 }"
)


def as_wanted(spec: MatcherSpec, *, items: bool = False, as_json: bool = False) -> str:
    """Commands of which all succeed when the text in `$found` is as wanted.

    With `items` each of its lines is an item of a list; with `as_json` it is what an engine reports, as JSON.
    """
    return " && ".join(_tests(spec, items, as_json))


def text_of(value: object) -> str:
    """A value as templates of the docker command print it.

    The items of a list on lines of their own.
    """
    if isinstance(value, list):
        return "\n".join(map(text_of, value))
    if isinstance(value, str):
        return value.rstrip("\n")
    return compact(value)


def compact(value: object) -> str:
    """A value as JSON, as docker prints it: without blanks, keys sorted."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _tests(spec: MatcherSpec, items: bool, as_json: bool) -> Iterator[str]:
    if "equals" in spec.model_fields_set:
        wanted = compact(spec.equals) if as_json else text_of(spec.equals)
        yield f"[ {_FOUND} = {shlex.quote(wanted)} ]"
    for part in spec.contains:
        yield _contains(part, items, as_json)
    if spec.lacks and (items or as_json) and not expects_nothing(spec):  # of nothing, nothing is shown
        yield f"case {_FOUND} in {_NOTHING}) false ;; esac" if as_json else f"[ -n {_FOUND} ]"
    for part in spec.lacks:
        yield f"! {_contains(part, items, as_json)}"
    if spec.matches is not None:
        whole = "z" if "\\n" in spec.matches or "\n" in spec.matches else ""  # else each line is looked at for itself
        pattern = f"(?m){spec.matches}" if whole else spec.matches
        yield f"{_said()} | grep -qP{whole} -- {shlex.quote(pattern)}"
    if spec.lines is not None:
        yield f"[ \"$(printf %s {_FOUND} | grep -c '')\" -eq {spec.lines} ]"
    if spec.empty is not None:
        yield f"[ {'-z' if spec.empty else '-n'} {_FOUND} ]"
    if spec.evenly:
        names = "\\n".join(spec.evenly)
        yield f"{_said()} | awk -v names={shlex.quote(names)} {shlex.quote(_EVENLY)}"
    if spec.between:
        yield f"[ {_FOUND} -ge {spec.between[0]} ] && [ {_FOUND} -le {spec.between[1]} ]"


def _said() -> str:
    return f"printf '%s\\n' {_FOUND}"


def _contains(part: str, items: bool, as_json: bool) -> str:
    if as_json:  # a text with that in it, or a list or mapping with that item or key
        escaped = re.escape(json.dumps(part, ensure_ascii=False)[1:-1]).replace("\\ ", " ").replace("\\-", "-")
        pattern = f'^".*{escaped}|"{escaped}"'
        return f"{_said()} | grep -qE {shlex.quote(pattern)}"
    if "\n" in part:
        return f"case {_FOUND} in *{shlex.quote(part)}*) ;; *) false ;; esac"
    return f"{_said()} | grep -q{'x' if items else ''}F -- {shlex.quote(part)}"
