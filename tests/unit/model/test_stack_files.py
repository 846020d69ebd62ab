"""Stacks of plays and of the command line become a part of the lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.capabilities import Capabilities
from clusterlab.cli.stack_words import plays_and_stacks
from clusterlab.errors import UsageError
from clusterlab.model import InvalidFiles, load_lab, play_names
from clusterlab.model.play_files import is_stack_file
from clusterlab.model.stack_files import StackFiles
from clusterlab.plan.apply import left_out

INVENTORY = Path(__file__).parents[3] / "inventory" / "default.yml"
SHOP = """
services:
  web:
    image: shop/web:${TAG}
    environment: {GREETING: "${GREETING-none}"}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a stack, and a play that deploys it."""
    monkeypatch.setenv("TAG", "1")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "stack.yml").write_text(SHOP)
    (tmp_path / "shop" / "vars.env").write_text("# of the shop\nTAG=2\nGREETING=hello there\n")
    (tmp_path / "play.yml").write_text("title: a shop\nstack: {files: shop/stack.yml}\n")
    return tmp_path


def play(folder: Path, stack: str) -> None:
    (folder / "play.yml").write_text(f"title: a shop\nstack: {stack}\n")


def test_a_play_has_a_stack_named_after_the_folder(folder: Path) -> None:
    lab = load_lab(INVENTORY, ["play"], folder)
    stack = lab.stacks["play"].valid()
    assert stack.name == "shop"
    assert stack.services["web"].image
    assert stack.services["web"].image.value == "shop/web:1"
    assert {"shop", "web", "shop_web"} <= set(lab.names())


def test_its_variables_are_those_of_the_shell_the_files_and_the_play_in_that_order(folder: Path) -> None:
    play(folder, "{files: shop/stack.yml, name: store, env_file: shop/vars.env, environment: {TAG: 3}}")
    stack = load_lab(INVENTORY, ["play"], folder).stacks["play"].valid()
    assert stack.name == "store"
    service = stack.services["web"]
    assert service.image
    assert service.image.value == "shop/web:3"
    assert service.environment["GREETING"].value == "hello there"


def test_a_stack_file_below_the_playbooks_is_not_a_play(folder: Path) -> None:
    assert play_names(folder) == ["play"]
    assert is_stack_file(folder / "shop" / "stack.yml")
    (folder / "service.yml").write_text("title: a service\nservices: {web: {image: shell}}\n")
    assert not is_stack_file(folder / "service.yml")


def test_a_play_that_is_not_taken_by_default_must_be_named(folder: Path) -> None:
    (folder / "play.yml").write_text("title: a shop\nby_default: false\nstack: {files: shop/stack.yml}\n")
    (folder / "other.yml").write_text("title: a service\nservices: {web: {image: shell}}\n")
    assert list(load_lab(INVENTORY, [], folder).plays) == ["other"]
    assert list(load_lab(INVENTORY, ["play"], folder).plays) == ["play"]
    assert play_names(folder) == ["other", "play"]


def test_a_network_of_the_play_may_be_an_external_one_of_its_stack(folder: Path) -> None:
    (folder / "shop" / "stack.yml").write_text(SHOP + "    networks: [edge]\nnetworks: {edge: {external: true}}\n")
    (folder / "play.yml").write_text(
        "title: a shop\nnetworks: {edge: {driver: overlay}}\nstack: {files: shop/stack.yml}\n"
    )
    loaded = load_lab(INVENTORY, ["play"], folder).plays["play"]
    assert list(loaded.networks) == ["edge"]
    assert "edge" not in loaded.external.networks


def test_errors_of_the_stack_are_told_with_those_of_the_play(folder: Path) -> None:
    (folder / "shop" / "stack.yml").write_text("services:\n  web:\n    image: x\n    profiles: [a]\n")
    (folder / "bad.env").write_text("TAG\n")
    play(folder, "{files: shop/stack.yml, env_file: bad.env}")
    with pytest.raises(InvalidFiles) as caught:
        load_lab(INVENTORY, ["play"], folder)
    found = {(Path(problem.file).name, problem.line) for problem in caught.value.problems}
    assert found == {("stack.yml", 4), ("bad.env", 1)}


@pytest.mark.parametrize("stack", ["{files: []}", "{files: shop/stack.yml, name: a.b}", "{name: shop}"])
def test_what_a_play_cannot_say(folder: Path, stack: str) -> None:
    play(folder, stack)
    with pytest.raises(InvalidFiles) as caught:
        load_lab(INVENTORY, ["play"], folder)
    assert len(caught.value.problems) == 1


def test_two_plays_cannot_have_the_same_stack(folder: Path) -> None:
    (folder / "other.yml").write_text("title: another\nstack: {files: shop/stack.yml}\n")
    with pytest.raises(InvalidFiles, match="two plays have a stack 'shop'"):
        load_lab(INVENTORY, [], folder)


def test_stack_files_of_the_command_line(folder: Path) -> None:
    file = str(folder / "shop" / "stack.yml")
    plays, stacks = plays_and_stacks([file], [], "")
    assert (plays, [one.files for one in stacks]) == ([], [[file]])
    lab = load_lab(INVENTORY, plays, folder, stacks)
    assert list(lab.plays) == list(lab.stacks) == ["shop"]
    plays, stacks = plays_and_stacks(["play"], [file, "-"], "store")
    assert (plays, [(one.files, one.name) for one in stacks]) == (["play"], [([file, "-"], "store")])
    lab = load_lab(INVENTORY, ["play"], folder, [StackFiles(files=[file], name="store")])
    assert list(lab.plays) == ["play", "store"]
    assert lab.only("store").stacks.keys() == {"store"}


def test_a_name_needs_one_stack(folder: Path) -> None:
    file = str(folder / "shop" / "stack.yml")
    for words, files in (([], []), ([file], [file]), ([file, file], [])):
        with pytest.raises(UsageError, match="--stack shop"):
            plays_and_stacks(words, files, "shop")


def test_a_stack_whose_volumes_no_node_can_mount_is_left_out(folder: Path) -> None:
    nfs = "\nvolumes: {data: {driver_opts: {type: nfs, o: addr=10.0.0.5, device: ':/data'}}}\n"
    (folder / "shop" / "stack.yml").write_text(f"{SHOP}    volumes: [data:/data]{nfs}")
    lab = load_lab(INVENTORY, ["play"], folder)
    hosts = ["host1", "host2"]
    (skipped,) = left_out(lab, Capabilities.missing_everywhere(hosts, {"nfs": "no module nfs"}))
    assert (str(skipped.key), skipped.reason) == ("Swarm: stack shop", "nfs: no module nfs")
    assert not left_out(lab, Capabilities.missing_everywhere(hosts[:1], {"nfs": "no module nfs"}))
