"""A service's use of configs and secrets, in short and long form."""

from __future__ import annotations

from .field import Field
from .given import Given
from .stack import FileReference

_KEYS = {"source": "", "target": "", "uid": "", "gid": "", "mode": ""}
_MOST = 2**32 - 1


def read_reference(field: Field) -> FileReference | None:
    """One item of `configs` or `secrets`; keys that Docker ignores are left alone."""
    if isinstance(field.value, str):
        name = field.text()
        return None if name is None else FileReference(field.place, name.value)
    if not isinstance(field.value, dict):
        field.expected("a name, or a mapping with source and target")
        return None
    keys = field.keys(_KEYS, lenient=True)
    source = keys.read("source", Field.text)
    target, uid, gid = (keys.read(name, Field.text) for name in ("target", "uid", "gid"))
    mode = keys.read("mode", _mode)
    if "source" not in keys:
        field.wrong("the key 'source' is missing", "It is the name below the top-level key of the same kind.")
    if source is None:
        return None
    return FileReference(
        keys.found["source"].place,
        source.value,
        target.value if target else "",
        uid.value if uid else "",
        gid.value if gid else "",
        mode,
        keys.found["mode"].written if "mode" in keys and not keys.found["mode"].varies else "",
        keys.unknown,
    )


def _mode(field: Field) -> Given[int] | None:
    if isinstance(field.value, str) and not field.failed:
        field.wrong(f"mode must be an octal number without quotes, not '{field.written}'", "Write it as 0440.")
        return None
    return field.whole(0, _MOST, truncated=True)
