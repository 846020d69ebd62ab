"""A wheel has every file of the packages: an installed clusterlab works like one from a checkout, from any folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from clusterlab.model import play_names

ROOT = Path(__file__).parents[2]
MADE = {"__pycache__", ".vagrant"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    source, wheels = folder / "source", folder / "wheels"
    ignored = shutil.ignore_patterns(*MADE)
    shutil.copytree(ROOT / "clusterlab", source / "clusterlab", ignore=ignored)  # a build writes beside its sources
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(wheels), str(source)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    (built,) = wheels.glob("*.whl")
    return built


def files_of(package: Path) -> set[str]:
    """All files, also those behind links to folders: the shipped lessons."""
    return {
        (Path(folder) / name).relative_to(package.parent).as_posix()
        for folder, _, names in os.walk(package, followlinks=True)
        for name in names
        if not MADE & set(Path(folder).parts)
    }


def test_it_has_every_file_of_the_tree(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("clusterlab/")}
    assert packed == files_of(ROOT / "clusterlab")
    for name in ("inventory/default.yml", "playbooks/volumes/nfs.yml", "vagrant/Vagrantfile"):
        assert f"clusterlab/shipped/{name}" in packed


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program in an environment that has the wheel, and this environment's packages but for clusterlab itself."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, symlinks=True, with_pip=False)
    packages = next(home.glob("lib/python*/site-packages"))
    with ZipFile(wheel) as archive:
        archive.extractall(packages)
    dependencies = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "dependencies.pth").write_text("\n".join(dependencies) + "\n")
    return home / "bin" / "python"


@pytest.fixture(scope="module")
def pip_installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program in an empty environment into which pip installed the wheel, with the dependencies that it names."""
    home = tmp_path_factory.mktemp("pip")
    venv.create(home, symlinks=True, with_pip=True)
    python = home / "bin" / "python"
    for words in (["install", "--quiet", str(wheel)], ["check"]):
        done = subprocess.run([python, "-I", "-m", "pip", *words], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
    return python


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--help", "Usage: clusterlab VERB"),
        ("validate", " are valid."),
        ("init --dry-run", "inventory/default.yml"),
        ("explain volumes/persistence", "docker"),
    ],
)
def test_pip_installs_it_with_all_it_needs(pip_installed: Path, words: str, said: str, tmp_path: Path) -> None:
    done = in_empty_folder(pip_installed, tmp_path / "empty", *words.split())
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert list((tmp_path / "empty").iterdir()) == []
    assert (pip_installed.parent / "clusterlab").is_file()


def in_empty_folder(python: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "XDG_STATE_HOME": str(folder.parent / "state"), "COLUMNS": "200"}
    environment.pop("PYTHONPATH", None)
    command = [str(python), "-I", "-m", "clusterlab", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_from_an_empty_folder_it_uses_the_lab_and_lessons_that_it_has_and_says_so(
    installed: Path, tmp_path: Path
) -> None:
    done = in_empty_folder(installed, tmp_path / "empty", "explain", "volumes/nfs")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("volumes/nfs: Containers on two hosts share one directory of an NFS server")
    assert "this one and the lessons come with clusterlab" in done.stderr
    where = in_empty_folder(installed, tmp_path / "empty", "validate").stdout
    assert f"{installed.parents[1]}/lib" in where, "another clusterlab than the wheel's was used"
    assert f" {len(play_names(ROOT / 'playbooks'))} plays" in where
    named = in_empty_folder(installed, tmp_path / "empty", "validate", "-i", "namespaces", "volumes/local").stdout
    assert "shipped/inventory/namespaces.yml and 1 plays" in named


def test_init_learn_and_pytest_work_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    assert "volumes/nfs" in in_empty_folder(installed, folder, "learn").stdout
    assert in_empty_folder(installed, folder, "init").returncode == 0
    valid = in_empty_folder(installed, folder, "validate")
    assert valid.stdout.startswith("inventory/default.yml and 1 plays with 2 checks are valid."), valid.stderr
    assert "come with clusterlab" not in valid.stderr
    command = [str(installed), "-I", "-m", "pytest", "--clusterlab", "default", "--collect-only", "-q", "playbooks"]
    collected = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert "playbooks/first.yml::the client reaches the web server by its name" in collected.stdout, collected.stderr
    assert "2 tests collected" in collected.stdout
