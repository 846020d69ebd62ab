"""Where files are read from, what they are named after, and what is kept out of messages and reprs."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from clusterlab.model import InvalidFiles
from clusterlab.stacks import load_stack, stack_specs
from clusterlab.stacks.given import Content

STACK = "services: {api: {image: 'one:1', env_file: api.env, volumes: ['./here:/here'], secrets: [key]}}\n"
SECRETS = "secrets: {key: {file: key.txt}}\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "stack.yml").write_text(STACK + SECRETS)
    (folder / "api.env").write_text("PASSWORD=hunter2\n")
    (folder / "key.txt").write_text("hunter2")
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_stack_is_named_after_its_folder(shop: Path) -> None:
    assert load_stack(["shop/stack.yml"], environment={}).valid().name == "shop"
    assert load_stack(["shop/stack.yml"], "other", {}).valid().name == "other"


def test_the_folder_of_the_current_one(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    assert load_stack(["stack.yml"], environment={}).valid().name == "shop"


def test_paths_start_at_the_first_file(shop: Path) -> None:
    (shop / "more").mkdir()
    (shop / "more" / "later.yml").write_text("services: {api: {tty: true}}\n")
    spec = stack_specs(load_stack(["shop/stack.yml", "shop/more/later.yml"], environment={}).valid())
    container = spec.services["shop_api"]["TaskTemplate"]["ContainerSpec"]
    assert container["Mounts"][0]["Source"] == str(shop / "here")
    assert container["Env"] == ["PASSWORD=hunter2"]
    loaded = load_stack(["shop/more/later.yml", "shop/stack.yml"], environment={})
    assert [problem.place for problem in loaded.problems] == ["shop/stack.yml:1:34", "shop/stack.yml:2:17"]


def test_standard_input_starts_at_the_current_folder(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((STACK + SECRETS).encode())))
    loaded = load_stack(["-"], "piped", {})
    assert loaded.valid().folder == Path()
    spec = stack_specs(loaded.valid()).services["piped_api"]
    assert spec["TaskTemplate"]["ContainerSpec"]["Mounts"][0]["Source"] == str(shop / "here")


def test_standard_input_that_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a: 1\nb: \xff\n")))
    assert [str(problem) for problem in load_stack(["-"], "st", {}).problems] == [
        "-:2:1: standard input is not UTF-8 text"
    ]


def test_a_missing_file_hides_no_other_error(shop: Path) -> None:
    (shop / "bad.yml").write_text("services: {api: {image: one, user: 5}}\n")
    loaded = load_stack(["shop/bad.yml", "shop/gone.yml"], environment={})
    assert "the file does not exist" in str(loaded.problems[1])
    assert loaded.stack is None
    with pytest.raises(InvalidFiles) as caught:
        loaded.valid()
    assert caught.value.problems == list(loaded.problems)


def test_secrets_have_no_repr(shop: Path) -> None:
    loaded = load_stack(["shop/stack.yml"], environment={})
    stack = loaded.valid()
    assert stack.secrets["key"].content == Content(b"hunter2")
    for shown in (loaded, stack, stack.services, stack.secrets, stack_specs(stack)):
        assert "hunter2" not in repr(shown)


def test_the_environment_is_in_no_message(tmp_path: Path) -> None:
    file = tmp_path / "stack.yml"
    file.write_text(
        """\
services:
  api:
    image: $SECRET/Image
    user: $SECRET
    ports: [$SECRET, "$SECRET:80"]
    volumes: [$SECRET, "$SECRET:$SECRET", "data:$SECRET"]
    stop_grace_period: $SECRET
    environment: {A: "{{$SECRET}}", B: $SECRET}
    command: "'$SECRET"
    deploy:
      mode: $SECRET
      replicas: $SECRET
      placement: {constraints: [$SECRET]}
      resources: {limits: {cpus: $SECRET, memory: $SECRET}}
      restart_policy: {condition: $SECRET}
    networks: [$SECRET]
    hostname: "{{$SECRET}}"
networks: {default: {driver: $SECRET, ipam: {config: [{subnet: $SECRET}]}, name: $SECRET}}
volumes: {data: {name: $SECRET/}}
configs: {conf: {file: $SECRET, name: $SECRET/}}
"""
    )
    loaded = load_stack([str(file)], "st", {"SECRET": "hunter two"})
    assert len(loaded.problems) > 10
    assert "hunter" not in "".join(map(str, loaded.problems))
