"""A folder that somebody else could have put there is not used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.private_folder import make_private


def test_it_is_created_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "above" / "own"
    make_private(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    make_private(folder)  # and may exist


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "own").symlink_to("elsewhere")
    with pytest.raises(ClusterlabError, match="own is a symbolic link: clusterlab does not use it"):
        make_private(tmp_path / "own")


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own").touch()
    with pytest.raises(ClusterlabError, match="is not a folder"):
        make_private(tmp_path / "own")


@pytest.mark.parametrize("mode", [0o770, 0o755, 0o701])
def test_a_mode_that_lets_others_in_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own").chmod(mode)
    with pytest.raises(ClusterlabError, match=f"lets others in \\(mode {mode:04o}\\)"):
        make_private(tmp_path / "own")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(mode=0o700)
    os.chown(tmp_path / "own", 65534, 65534)
    with pytest.raises(ClusterlabError, match=r"belongs to another user \(uid 65534\)"):
        make_private(tmp_path / "own")
