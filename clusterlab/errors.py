"""The errors a person can do something about.

Everything clusterlab raises on purpose is a `ClusterlabError`: it says what was wrong, where, and what to do. The
command line prints it and ends with its `exit_code`; any other exception is a defect of ours.
"""

from __future__ import annotations

from .redaction import clean


class ClusterlabError(Exception):
    """Something could not be carried out.

    `message` says what was wrong and where, `remedy` what to do about it, `detail` is what was last seen (the tail of
    a log, the output of a command). All are cleaned of control characters and of secrets, since hosts and containers
    have a say in them.
    """

    exit_code = 3

    def __init__(self, message: str, *, remedy: str = "", detail: str = "") -> None:
        self.message = clean(message)
        self.remedy = clean(remedy)
        self.detail = clean(detail)
        super().__init__(self.message)


class UsageError(ClusterlabError):
    """The command line or a file asks for something that does not exist or cannot be."""

    exit_code = 2


class HostError(ClusterlabError):
    """A host could not be asked.

    Unreachable, refused, or a command could not run there.
    """

    def __init__(self, host: str, message: str, *, remedy: str = "", detail: str = "") -> None:
        super().__init__(f"{host}: {message}", remedy=remedy, detail=detail)
        self.host = host


class DeadlineExceeded(ClusterlabError):
    """A wait ended without what it waited for.

    The message says for what, how long, and what was last seen.
    """


class Several(ClusterlabError):
    """More than one thing went wrong, at places independent of each other."""

    def __init__(self, errors: list[ClusterlabError], *, remedy: str = "") -> None:
        super().__init__(
            "\n".join(error.message for error in errors),
            remedy=remedy,
            detail="\n".join(dict.fromkeys(error.detail for error in errors if error.detail)),
        )
        self.errors = errors
        self.exit_code = max(error.exit_code for error in errors)
