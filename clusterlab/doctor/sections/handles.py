"""Whether the directories of NFS mounts still exist on their servers."""

from __future__ import annotations

import re

from .section import Section

_OCTAL = re.compile(r"\\([0-7]{3})")


def _handles(text: str) -> dict[str, str]:
    lines = text.rstrip().splitlines()
    if not lines or lines[-1] != "handles end":
        raise ValueError("cut off")
    found = {}
    for line in filter(None, lines[:-1]):
        word, point, why = [*line.rstrip().split(" ", 2), ""][:3]
        if word not in ("fine", "stale", "unknown"):
            raise ValueError(line)
        found[_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), point)] = why if word == "unknown" else word
    return found


HANDLES: Section[dict[str, str]] = Section(
    "handles",
    r"""
answering= silent=
say() { printf '%s %s %s\n' "$1" "$point" "$2"; }
while read -r _ _ _ _ point _ rest; do
  case " $rest" in *' - nfs '*|*' - nfs4 '*) ;; *) continue ;; esac
  address=$(expr "$rest" : '.*[ ,]addr=\([^, ]*\)'); port=$(expr "$rest" : '.*,port=\([0-9]*\)')
  server=$address/${port:-2049}
  case " $answering $silent " in
    *" $server "*) ;;
    *) if limit bash -c 'exec 3<>"/dev/tcp/$1"' - "$server" 2>/dev/null
      then answering="$answering $server"; else silent="$silent $server"; fi ;;
  esac
  case " $silent " in *" $server "*) say unknown "its server $server does not answer"; continue ;; esac
  why=$(limit stat -t "$(printf %b "$(printf %s "$point" | sed 's/\\\([0-7]\{3\}\)/\\0\1/g')")" 2>&1 >/dev/null)
  case $?:$why in
    0:*) say fine ;;
    *'Stale file handle'*) say stale ;;
    137:*) say unknown "stat does not end"; silent="$silent $server" ;;
    *) say unknown "$why" ;;
  esac
done < /proc/1/mountinfo
echo handles end
""",
    _handles,
)
"""By mount point "fine", "stale", or why that is not known.

Only the top directory of a mount is looked at, and only when its server answers: `stat` would hang otherwise.
"""
