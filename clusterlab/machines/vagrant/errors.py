"""What Vagrant's errors mean, with what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clusterlab.errors import ClusterlabError

GOES_ON = "then run the same command again: it goes on from here"


@dataclass(frozen=True)
class _Trouble:
    """How one is recognised, by Vagrant's class of the error or by its text, what it is, and what to do."""

    classes: tuple[str, ...]
    text: str
    message: str
    remedy: str


_START_LIBVIRT = "start it: sudo systemctl start libvirtd, or without systemd: sudo sh setup/libvirt.sh"
_TROUBLES = (
    _Trouble(
        (),
        r"authentication unavailable|Permission denied.*libvirt-sock|libvirt-sock.*Permission denied|polkit",
        "this user may not use libvirt",
        f"allow it: sudo adduser $USER libvirt, and log in anew; {GOES_ON}",
    ),
    _Trouble(
        ("FogLibvirtConnectionError",),
        r"Failed to connect socket|libvirt-sock|Error while connecting to Libvirt",
        "libvirt does not run here",
        f"{_START_LIBVIRT}; {GOES_ON}",
    ),
    _Trouble(
        ("ProviderNotFound", "ProviderNotFoundSuggestion", "PluginNotInstalled"),
        r"provider '?libvirt'? could not be found|Unknown provider|provider \(libvirt\) could not be found",
        "Vagrant lacks the plug-in for this lab's provider",
        f"install it: sudo apt-get install vagrant-libvirt; {GOES_ON}",
    ),
    _Trouble(
        ("VirtualBoxNotDetected", "VBoxManageNotFoundError", "VirtualBoxInstallIncomplete", "NoDefaultProvider"),
        r"could not detect VirtualBox|VBoxManage.*not be found|No usable default provider",
        "VirtualBox is not installed here",
        "install it, or say provider: libvirt in the inventory",
    ),
    _Trouble(
        ("VirtualBoxKernelModuleNotLoaded",),
        r"",
        "VirtualBox's kernel module is not loaded",
        f"see `sudo /sbin/vboxconfig`, or say provider: libvirt in the inventory; {GOES_ON}",
    ),
    _Trouble(
        ("VirtualBoxInvalidHostSubnet",),
        r"not within the allowed ranges|The IP address configured for the host-only network",
        "VirtualBox refuses the address of a host-only network",
        "do not add host-only networks to the Vagrantfile: the lab's LAN is an internal network, which needs none",
    ),
    _Trouble(
        (),
        r"VT-x is not available|VERR_VMX_NO_VMX|AMD-V is not available|VERR_SVM_NO_SVM",
        "VirtualBox needs hardware virtualisation, and this computer offers none",
        "switch it on in the firmware, or in the outer machine's settings (nested virtualisation); "
        "or say provider: libvirt in the inventory, which emulates",
    ),
    _Trouble(
        ("ActiveMachineWithDifferentProvider",),
        r"active machine was found with a different provider",
        "the machine was made with another provider",
        "remove it first: clusterlab down with the provider that it was made with, or vagrant destroy",
    ),
    _Trouble(
        ("DomainNameExists",),
        r"Name `?\S+`? of domain about to create is already taken",
        "libvirt has a machine of that name already, which Vagrant does not know here",
        "if it is of another clone of clusterlab, give one of the labs another name; otherwise remove it: "
        "virsh -c qemu:///system destroy NAME; virsh -c qemu:///system undefine --remove-all-storage NAME",
    ),
    _Trouble(
        ("DomainVolumeExists",),
        r"[Vv]olume for domain is already created",
        "libvirt has a disk of that name already, left from a machine that is gone",
        f"remove it: virsh -c qemu:///system vol-delete --pool default NAME.img; {GOES_ON}",
    ),
    _Trouble(
        ("MachineLocked", "MachineActionLockedError", "EnvironmentLockedError"),
        r"action is already running on the machine|process is already executing an action on the machine|"
        r"acquire a lock|is reading the machine index",
        "another Vagrant is at work on these machines",
        f"wait until it has ended; {GOES_ON}",
    ),
    _Trouble(
        (
            "BoxAddShortNotFound",
            "BoxAddNoMatchingVersion",
            "BoxAddNoMatchingProvider",
            "BoxNotFound",
            "BoxNotFoundWithProvider",
            "BoxNotFoundWithProviderAndVersion",
            "BoxMetadataDownloadError",
        ),
        r"The box '[^']+' could not be found",
        "Vagrant cannot find or download the box",
        "see its name and version in the inventory, and whether this computer reaches the internet; without `box`, "
        "clusterlab builds one and needs neither",
    ),
    _Trouble(
        ("DownloaderError",),
        r"error occurred while downloading the remote file",
        "the box could not be downloaded",
        f"see whether this computer reaches its server; {GOES_ON}",
    ),
    _Trouble(
        ("BoxChecksumMismatch", "DownloaderChecksumError"),
        r"checksum of the downloaded box did not match|checksum.*did not match",
        "the box is damaged: its checksum is not the one that it was published with",
        "build it anew: clusterlab box --remove, then clusterlab box",
    ),
    _Trouble(
        ("VMBootTimeout", "SSHConnectionTimeout", "NoIpAddressError"),
        r"Timed out while waiting for the machine to boot|no IP address|Domain not found.*IP",
        "a machine did not answer in time",
        "give it longer (boot_timeout under vagrant in the inventory), or see its console: "
        "virsh -c qemu:///system console NAME",
    ),
    _Trouble(
        ("NetworkNameAndAddressMismatch", "DHCPMismatch", "NetworkNotAvailableError", "CreateNetworkError"),
        r"",
        "libvirt's network for the lab's LAN cannot be made as it must be",
        "see `virsh -c qemu:///system net-list --all`; remove one that is left from another lab "
        "(net-destroy, net-undefine), or give the lab another name",
    ),
    _Trouble(
        ("SSHNotReady", "VMNotRunningError", "VMNotCreatedError"),
        r"not yet ready for SSH|must be created before running|must be running to open SSH",
        "a machine does not run",
        "start it: clusterlab up, or vagrant up",
    ),
    _Trouble(
        ("VagrantInterrupt",),
        r"",
        "Vagrant was interrupted",
        GOES_ON.removeprefix("then "),
    ),
    _Trouble(
        (),
        r"Cannot allocate memory|cannot set up guest memory",
        "this computer has not enough memory for the machines",
        f"give them less (memory under vagrant in the inventory) or end others; {GOES_ON}",
    ),
    _Trouble(
        (),
        r"No space left on device",
        "no space is left on this computer's disk",
        f"make room where libvirt keeps its disks (/var/lib/libvirt/images); {GOES_ON}",
    ),
    _Trouble(
        ("VagrantfileSyntaxError", "VagrantfileLoadError", "VagrantfileNameError", "ConfigInvalid"),
        r"",
        "Vagrant cannot use the Vagrantfile",
        "put right what Vagrant says; clusterlab's own is vagrant/Vagrantfile in its repository",
    ),
)


def explain(command: str, name: str, text: str) -> ClusterlabError:
    """The error for a command line that ended with Vagrant's error class `name` (or "") and this text."""
    line = " ".join(text.split())  # Vagrant breaks its lines
    by_text = (trouble for trouble in _TROUBLES if trouble.text and re.search(trouble.text, line))
    by_class = (trouble for trouble in _TROUBLES if name in trouble.classes)
    for trouble in (*by_text, *by_class):
        return ClusterlabError(f"{trouble.message} (`{command}`)", remedy=trouble.remedy, detail=text)
    return ClusterlabError(
        f"`{command}` failed" + (f" ({name})" if name else ""),
        remedy="put right what Vagrant says, then run the same command again",
        detail=text,
    )
