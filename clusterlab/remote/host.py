"""One host: commands, files and the Docker API over one SSH connection."""

from __future__ import annotations

import re
import shlex
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clusterlab.errors import DeadlineExceeded, HostError
from clusterlab.redaction import clean

from . import command as channel_command
from .channels import Channels
from .completed import Completed
from .connection import Connections
from .docker_ways import Ways
from .sudo import passwordless
from .target import DOCKER_SOCKET, Target
from .trace import step

if TYPE_CHECKING:
    from docker import APIClient

QUESTION_SECONDS = 12.0
"""For an answer to one question to an engine; a busy emulated machine needs several."""
_SUDO_REFUSAL = re.compile(
    r"^sudo: (a password is required|a terminal is required|sorry, you must have a tty|no tty present)"
    r"|is not in the sudoers file|^Sorry, user .* is not allowed to execute",
    re.MULTILINE,
)
_SUDO_MISSING = re.compile(r"^env: .?sudo.?: No such file or directory", re.MULTILINE)

_WRITE = """
umask 077
new=$(mktemp "$1.XXXXXX") || exit 1
trap 'rm -f "$new"' EXIT
cat > "$new" || exit 1
if [ "$(wc -c < "$new")" -ne "$2" ]; then echo "only a part of the content arrived" >&2; exit 1; fi
chmod "$3" "$new" && mv -fT "$new" "$1"
"""
"""Arguments: path, size, mode. The size keeps a half-sent content from taking the file's place."""


class Host:
    """A host of the lab.

    It connects when first used, and again after a connection was lost. Safe to use from several threads.

    `counts` says what was really done: "connections" opened, "commands" run, "requests" sent to the engine, and the
    channels to it: "streams" (its forwarded socket, no process) or "dials" (a process each) opened. "execs" are the
    commands run in containers by the engine.
    """

    def __init__(self, target: Target, connections: Connections) -> None:
        self.target = target
        self.counts: Counter[str] = Counter()
        self._channels = Channels(target, connections, self.counts)
        self._ways = Ways(self._channels, self.counts)
        self._docker: APIClient | None = None
        self._docker_of_questions: APIClient | None = None
        self._docker_lock = threading.Lock()

    @property
    def name(self) -> str:
        return self.target.name

    def run(
        self,
        command: str | Sequence[str],
        *,
        stdin: str | bytes = "",
        timeout: float = 60.0,
        check: bool = False,
        spare: bool = False,
    ) -> Completed:
        """Run a command and wait for its end.

        A string goes to `sh -c`; a sequence is executed as it is. With the target's `become` it runs as root. Secrets
        go through `stdin`: arguments can be seen by every user of the host. Bytes of the output that are no UTF-8 are
        replaced. With `spare` it does not wait for a channel that other commands hold: for questions about the host.

        Raises HostError when the host cannot be reached (or, with `check`, when the exit code is not 0),
        DeadlineExceeded when the command has not ended after `timeout` seconds: it has been killed then, with all
        that it left in its process group.
        """
        shown = command if isinstance(command, str) else shlex.join(command)
        argv = ["sh", "-c", command] if isinstance(command, str) else list(command)
        ended = self._run(argv, shown, stdin.encode() if isinstance(stdin, str) else stdin, timeout, spare)
        completed = Completed(
            self.name, shown, ended.exit, _text(ended.stdout), _text(ended.stderr), seconds=ended.seconds
        )
        if check and not completed.ok:
            raise HostError(
                self.name,
                f"`{_short(shown)}` ended with exit code {ended.exit}",
                detail=_end(completed.output),
            )
        return completed

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Make or replace a file.

        Whoever reads it meanwhile gets the old content or the new one, whole.

        Its folder must exist. The file belongs to the user who runs commands. Raises HostError when it cannot be
        written.
        """
        argv = ["sh", "-c", _WRITE, "sh", path, str(len(content)), f"{mode:o}"]
        ended = self._run(argv, f"write {path}", content, timeout=60.0)
        if ended.exit != 0:
            raise HostError(self.name, f"{path} could not be written", detail=_text(ended.stderr).strip())

    def read(self, path: str) -> bytes:
        """A file's content.

        Raises HostError when it cannot be read, or is longer than 64 MiB.
        """
        ended = self._run(["cat", "--", path], f"cat {path}", b"", timeout=60.0)
        if ended.exit != 0:
            raise HostError(self.name, f"{path} could not be read", detail=_text(ended.stderr).strip())
        return ended.stdout

    @property
    def docker(self) -> APIClient:
        """The engine's API, through this connection; one client for all threads.

        What it raises itself: docker.errors.APIError for what the engine refuses. Besides, HostError when the engine
        cannot be reached, and DeadlineExceeded when it does not answer within its time (120 s of silence).
        """
        from .docker_channel import connect  # the SDK takes long to import, and many commands need no engine

        with self._docker_lock:
            if self._docker is None:
                self._docker = connect(self._channels, self._ways, self.counts)
            return self._docker

    @contextmanager
    def questions(self) -> Iterator[APIClient]:
        """The engine's API through the spare channel, for questions about the host.

        They do not wait for what others hold or ask, and fail after QUESTION_SECONDS of silence. Otherwise like
        `docker`. For one thread at a time; the channel is given back after the block.
        """
        from .docker_channel import connect

        with self._docker_lock:
            if self._docker_of_questions is None:
                self._docker_of_questions = connect(
                    self._channels, self._ways, self.counts, QUESTION_SECONDS, spare=True
                )
        try:
            yield self._docker_of_questions
        finally:
            self._docker_of_questions.close()

    def exec(
        self,
        container: str,
        argv: Sequence[str],
        *,
        stdin: str = "",
        user: str = "",
        timeout: float = 60.0,
    ) -> Completed:
        """Run a command in a container and wait for its end.

        Otherwise like `run`, with exit code 126 or 127 when it cannot be started.

        Raises HostError also when there is no such container, or when it does not run.
        """
        from .docker_exec import execute

        return execute(self, container, argv, stdin=stdin.encode(), user=user, timeout=timeout)

    def close(self) -> None:
        """Close the connection; what is still running through it ends with an error."""
        with self._docker_lock:
            if self._docker is not None:
                self._docker.close()
                self._docker = None
        self._channels.close()

    def _run(
        self, argv: Sequence[str], shown: str, stdin: bytes, timeout: float, spare: bool = False
    ) -> channel_command.Ended:
        engine = "" if self.target.engine == DOCKER_SOCKET else self.target.engine
        line = channel_command.command_line(argv, timeout, self.target.become, engine)
        with self._channels.channel(timeout, spare=spare) as channel, step(self.name, shown) as outcome:
            self.counts["commands"] += 1
            try:
                ended = channel_command.run(channel, line, stdin, timeout)
                outcome.text = f"exit {ended.exit}"
            except channel_command.TimeUp as late:
                raise DeadlineExceeded(
                    f"{self.name}: `{_short(shown)}` did not end within {timeout:g} s",
                    detail=_end(_text(late.stdout + late.stderr)),
                ) from None
            except channel_command.TooMuchOutput:
                limit = channel_command.MAX_OUTPUT // 1024 // 1024
                raise HostError(self.name, f"`{_short(shown)}` printed more than {limit} MiB") from None
            except channel_command.Lost:
                raise HostError(
                    self.name,
                    f"the connection was lost while `{_short(shown)}` was running: it may have been carried out or not",
                    remedy="The machine may have been rebooted. Run the command again: it continues from there.",
                ) from None
        if self.target.become:
            self._notice_sudo(ended)
        return ended

    def _notice_sudo(self, ended: channel_command.Ended) -> None:
        stderr = _text(ended.stderr)
        user = self.target.user
        if ended.exit == 1 and _SUDO_REFUSAL.search(stderr):
            raise HostError(
                self.name,
                f"user {user} may not run commands as root without a password",
                remedy=f"As root on the machine, run `{passwordless(user)}`; or log in as root; or, if root is not "
                "needed, set `ssh: {become: false}` in the inventory.",
                detail=stderr.strip(),
            )
        if ended.exit == 127 and _SUDO_MISSING.search(stderr):
            raise HostError(
                self.name,
                f"sudo is not installed, so user {user} cannot run commands as root",
                remedy="Install sudo on the machine, or log in as root (ssh: {user: root} in the inventory).",
            )


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _end(output: str) -> str:
    """The end of an output.

    It is cleaned before it is cut, since half a secret is not recognised.
    """
    return clean(output)[-4000:]


def _short(command: str) -> str:
    """A command as part of a sentence: its first line, not endless."""
    first, _, rest = command.strip().partition("\n")
    return f"{first[:120]} ..." if rest or len(first) > 120 else first
