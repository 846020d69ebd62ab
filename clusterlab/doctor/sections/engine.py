"""Files of the engine.

Its configuration, its place in the Swarm, its node's certificate.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .section import Section


def _daemon(text: str) -> dict[str, Any]:
    found = json.loads(text) if text.strip() else {}
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


DAEMON: Section[dict[str, Any]] = Section(
    "daemon", "[ ! -e /etc/docker/daemon.json ] || cat /etc/docker/daemon.json", _daemon
)
"""What daemon.json sets; empty without one."""


def _data_path(text: str) -> str:
    """The address of the data path.

    "" when it is the advertised one, or the host is in no Swarm.
    """
    if not text.strip():
        return ""
    return str(json.loads(text)["DataPathAddr"] or "").partition(":")[0]


DATA_PATH: Section[str] = Section(
    "data-path", '[ ! -e "$root/swarm/docker-state.json" ] || cat "$root/swarm/docker-state.json"', _data_path
)


@dataclass(frozen=True)
class Certificate:
    """The node's certificate in the Swarm.

    When it is valid, and the ID of the Swarm that issued it.
    """

    not_before: datetime
    not_after: datetime
    swarm: str


def _certificate(text: str) -> Certificate | None:
    if not text.strip():
        return None
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    found = x509.load_pem_x509_certificate(text.encode())
    organisations = found.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    before = found.not_valid_before_utc.astimezone(UTC)
    return Certificate(before, found.not_valid_after_utc.astimezone(UTC), str(organisations[0].value))


CERTIFICATE: Section[Certificate | None] = Section(
    "certificate",
    'file="$root/swarm/certificates/swarm-node.crt"; [ ! -e "$file" ] || sed "/-END CERTIFICATE-/q" "$file"',
    _certificate,
)
"""None when the host is in no Swarm."""
