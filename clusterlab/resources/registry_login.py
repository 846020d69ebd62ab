"""Logins to registries from the user's Docker configuration.

Only the engines get them, in a header.
"""

from __future__ import annotations

from typing import Any

import docker.auth
import docker.errors

from clusterlab.errors import UsageError
from clusterlab.redaction import SECRETS

_FIELDS = ("username", "password", "email", "serveraddress", "identitytoken", "registrytoken")
_SECRET = ("password", "identitytoken", "registrytoken")


def login_header(image: str) -> dict[str, str]:
    """The header with the user's login to an image's registry.

    None where the user has no login there.

    Raises UsageError when a credential helper fails.
    """
    registry, _ = docker.auth.resolve_repository_name(image)
    try:
        found: dict[str, Any] | None = docker.auth.load_config().resolve_authconfig(registry)
    except docker.errors.DockerException as error:
        raise UsageError(
            f"the login to {registry} cannot be read: {error}",
            remedy=f"docker login {registry}, or leave --with-registry-auth out.",
        ) from error
    if not found:
        return {}
    login = {key.lower(): value for key, value in found.items() if key.lower() in _FIELDS and value}
    secret = [value for key, value in login.items() if key in _SECRET]
    header = docker.auth.encode_header(login).decode()
    SECRETS.learn([("password", value) for value in [*secret, header]])
    return {"X-Registry-Auth": header}
