"""QEMU's command line: what saved machines, clones and booted machines have in common, and where they differ."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from clusterlab.build.machine_image import MachineImage
from clusterlab.machines.qemu.accelerator import Accelerator
from clusterlab.machines.qemu.launch import MachineSize, MachineSpec, Memory, command_line

SPEC = MachineSpec(
    name="clusterlab/demo/host1",
    folder=Path("/state/demo/hosts/host1"),
    image=MachineImage(Path("/cache/image")),
    size=MachineSize("1G", 2),
    accelerator=Accelerator("emulation", "tcg,thread=multi", "max", "QEMU 7.2 tcg", "norandmaps"),
    mac="52:54:00:00:00:01",
    port=40022,
    lan=Path("/state/demo/lan"),
)


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def devices(command: list[str]) -> list[str]:
    """The devices' kinds in their order: what must be equal on both sides of saving and loading."""
    return [value.partition(",")[0] for flag, value in pairwise(command) if flag == "-device"]


def test_it_is_found_again_by_its_name_and_by_the_files_it_has() -> None:
    command = command_line(SPEC)
    assert option(command, "-name") == "clusterlab/demo/host1"
    assert option(command, "-D") == "/state/demo/hosts/host1/qemu.log"


def test_ssh_is_reachable_from_this_computer_only() -> None:
    assert "user,id=nat,ipv6=off,hostfwd=tcp:127.0.0.1:40022-:22" in command_line(SPEC)


def test_size_and_accelerator_are_as_wanted() -> None:
    command = command_line(SPEC)
    assert option(command, "-m") == "1G"
    assert option(command, "-smp") == "2"
    assert option(command, "-accel") == "tcg,thread=multi"


def test_machine_to_be_saved_has_the_same_devices_and_no_way_in() -> None:
    saved = command_line(replace(SPEC, port=None, lan=None, memory=Memory(Path("/cache/m"), shared=True)))
    assert devices(saved) == devices(command_line(SPEC))
    assert not [argument for argument in saved if "hostfwd" in argument or "vde" in argument]


def test_memory_is_shared_when_saved_and_private_in_a_clone() -> None:
    saved = command_line(replace(SPEC, memory=Memory(Path("/cache/m"), shared=True)))
    clone = command_line(replace(SPEC, memory=Memory(Path("/cache/m"), shared=False), incoming=True))
    assert option(saved, "-object") == "memory-backend-file,id=memory,size=1G,mem-path=/cache/m,share=on"
    assert option(clone, "-object") == "memory-backend-file,id=memory,size=1G,mem-path=/cache/m,share=off"
    assert option(clone, "-incoming") == "defer"
    assert "-incoming" not in saved


def test_commas_in_paths_do_not_end_an_option() -> None:
    command = command_line(replace(SPEC, folder=Path("/state/a,b"), lan=Path("/state/a,b/lan")))
    assert "vde,id=lan,sock=/state/a,,b/lan" in command
    assert [argument for argument in command if argument.startswith("if=none,id=disk,file=/state/a,,b/disk.qcow2,")]


def test_the_kernel_gets_the_options_of_its_accelerator() -> None:
    """Under emulation, code at another address is translated again: every start of a program would pay for that."""
    command = command_line(SPEC)
    options = command[command.index("-append") + 1].split()
    assert options[-1] == "norandmaps"
    assert "console=ttyS0" in options
