"""A folder that somebody else could have put there is not used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.files import make_private
from clusterlab.private_folder import check_private


def test_a_folder_for_this_user_alone_is_used(tmp_path: Path) -> None:
    make_private(tmp_path / "own")
    check_private(tmp_path / "own")


def test_others_may_read_where_that_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own").chmod(0o755)
    check_private(tmp_path / "own", others_read=True)
    (tmp_path / "own").chmod(0o775)
    with pytest.raises(ClusterlabError, match="lets others in"):
        check_private(tmp_path / "own", others_read=True)


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "own").symlink_to("elsewhere")
    with pytest.raises(ClusterlabError, match="own is a symbolic link: clusterlab does not use it"):
        check_private(tmp_path / "own")


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own").touch()
    with pytest.raises(ClusterlabError, match="is not a folder"):
        check_private(tmp_path / "own")


@pytest.mark.parametrize("mode", [0o770, 0o755, 0o701])
def test_a_mode_that_lets_others_in_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own").chmod(mode)
    with pytest.raises(ClusterlabError, match=f"lets others in \\(mode {mode:04o}\\)"):
        check_private(tmp_path / "own")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(mode=0o700)
    os.chown(tmp_path / "own", 65534, 65534)
    with pytest.raises(ClusterlabError, match=r"belongs to another user \(uid 65534\)"):
        check_private(tmp_path / "own")
