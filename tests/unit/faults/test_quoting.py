"""What a play gives reaches shells quoted.

A path or a name is one, whatever it is made of.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from clusterlab.faults.kind import NOTHING, OnHost
from clusterlab.faults.kinds import FAULTS
from clusterlab.faults.scene import Scene

_FREE_TEXTS = [
    (name, key) for name, kind in FAULTS.items() for key in ("path", "service") if key in kind.model.model_fields
]


@pytest.mark.parametrize(("name", "key"), _FREE_TEXTS)
@pytest.mark.parametrize("quoted", ["'; touch {}; '", '"; touch {}; "', "$(touch {})", "`touch {}`"])
def test_a_text_is_not_run(name: str, key: str, quoted: str, tmp_path: Path) -> None:
    flag = tmp_path / "run"
    kind: Any = FAULTS[name]
    text = "/nowhere" + quoted.format(flag)
    params = kind.model.model_validate({"host": "host1", key: text})
    (part,) = kind.parts(params, cast(Scene, None))
    assert isinstance(part, OnHost)
    done = subprocess.run(["sh", "-c", part.inject], capture_output=True, text=True)
    assert (done.returncode, text in done.stderr) == (NOTHING, True)
    subprocess.run(["sh", "-c", part.heal], check=True)
    assert not flag.exists()
