"""What a play gives reaches shells quoted: a path is a path, whatever it is made of."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from clusterlab.faults.kind import NOTHING, OnHost
from clusterlab.faults.kinds import FAULTS
from clusterlab.faults.scene import Scene


@pytest.mark.parametrize("name", sorted(name for name, kind in FAULTS.items() if "path" in kind.model.model_fields))
@pytest.mark.parametrize("quoted", ["'; touch {}; '", '"; touch {}; "', "$(touch {})", "`touch {}`"])
def test_a_path_is_not_run(name: str, quoted: str, tmp_path: Path) -> None:
    flag = tmp_path / "run"
    kind: Any = FAULTS[name]
    params = kind.model.model_validate({"host": "host1", "path": "/nowhere" + quoted.format(flag)})
    (part,) = kind.parts(params, cast(Scene, None))
    assert isinstance(part, OnHost)
    done = subprocess.run(["sh", "-c", part.inject], capture_output=True, text=True)
    assert (done.returncode, params.path in done.stderr) == (NOTHING, True)
    if "exportfs" not in part.heal:
        subprocess.run(["sh", "-c", part.heal], check=True)
    assert not flag.exists()
