"""What all unit tests share."""

from __future__ import annotations

import pytest

from clusterlab import redaction
from clusterlab.redaction import Secrets


@pytest.fixture(autouse=True)
def _no_known_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test redacts the values of the labs and stacks that another one has loaded in this process."""
    monkeypatch.setattr(redaction, "SECRETS", Secrets())
