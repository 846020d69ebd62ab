"""Files below the root directory of a process, as its host reaches them.

The kernel follows an absolute symbolic link below /proc/PID/root to a file of the host: symlink(7). /var/run -> /run is
such a link in most images. So paths are walked one component at a time, as the process itself would.
"""

from __future__ import annotations

import shlex

from .place import NotUnderstood, Place
from .places import Places

# Arguments: the root directory, a path below it, and a command that gets the path on the host as its last argument.
SCRIPT = r"""root=$1 rest=$2 at= links=0; shift 2
while [ "$rest" ]; do
  part=${rest%%/*}
  case $rest in */*) rest=${rest#*/};; *) rest=;; esac
  case $part in ""|.) continue;; ..) at=${at%/*}; continue;; esac
  at=$at/$part
  [ -L "$root$at" ] || continue
  [ $((links += 1)) -le 40 ] || { echo "too many symbolic links" >&2; exit 1; }
  link=$(readlink "$root$at" && echo .) || exit 1
  case $link in /*) at=;; *) at=${at%/*};; esac
  rest=${link%??}/$rest
done
exec "$@" "$root${at:-/}"
"""
INSIDE = shlex.join(["sh", "-c", SCRIPT, "sh"])
"""What is followed in a script by those arguments. It needs a POSIX shell and readlink on the host, nothing inside."""


def path_inside(host: str, process: str, path: str, places: Places) -> str:
    """The path on a host of a path that one of its processes sees.

    Raises NotUnderstood when its symbolic links lead nowhere.
    """
    argv = ["sh", "-c", SCRIPT, "sh", f"/proc/{process}/root", path, "printf", "%s\\n"]
    completed = places.run(Place(host), argv)
    if not completed.ok:
        raise NotUnderstood(
            f"{path} of process {process} on {host} cannot be resolved: {completed.output}",
            command=f"readlink /proc/{process}/root{path}",
            detail=completed.output,
        )
    return completed.stdout.removesuffix("\n")
