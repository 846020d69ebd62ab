"""Logins to registries: from the user's Docker configuration, in a header, and in no text."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from clusterlab.errors import UsageError
from clusterlab.redaction import Secrets, clean
from clusterlab.resources import registry_login
from clusterlab.resources.registry_login import login_header


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


def test_the_login_of_the_images_registry(configuration: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = Secrets()
    monkeypatch.setattr(registry_login, "SECRETS", secrets)
    login = base64.b64encode(b"elo:opensesame-opensesame").decode()
    configuration.write_text(json.dumps({"auths": {"registry.example.org": {"auth": login}}}))
    header = login_header("registry.example.org/shop/web:1")["X-Registry-Auth"]
    sent = json.loads(base64.urlsafe_b64decode(header))
    assert (sent["username"], sent["password"]) == ("elo", "opensesame-opensesame")
    assert sent["serveraddress"] == "registry.example.org"
    for secret in ("opensesame-opensesame", header):
        assert secret not in clean(f"sent {secret} to the engine", secrets)
    assert login_header("other.example.org/shop/web:1") == {}
    assert login_header("nginx:1.27") == {}


@pytest.mark.filterwarnings("ignore:docker-credential")
def test_a_helper_that_fails(configuration: Path) -> None:
    configuration.write_text(json.dumps({"credsStore": "not-installed-here"}))
    with pytest.raises(UsageError, match=r"the login to registry\.example\.org cannot be read"):
        login_header("registry.example.org/shop/web:1")
