"""What Vagrant's errors mean, with what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clusterlab.errors import ClusterlabError

GOES_ON = "then run the same command again: it continues from here"


@dataclass(frozen=True)
class _Cause:
    """One cause: how it is recognised, what it is, and what to do.

    It is recognised by the classes and text of Vagrant's errors.
    """

    classes: tuple[str, ...]
    text: str
    message: str
    remedy: str


_START_LIBVIRT = "start it: sudo systemctl start libvirtd, or without systemd: sudo sh setup/libvirt.sh"
_CAUSES = (
    _Cause(
        (),
        r"authentication unavailable|Permission denied.*libvirt-sock|libvirt-sock.*Permission denied|polkit",
        "this user may not use libvirt",
        f"allow it: sudo adduser $USER libvirt, and log in again; {GOES_ON}",
    ),
    _Cause(
        ("FogLibvirtConnectionError",),
        r"Failed to connect socket|libvirt-sock|Error while connecting to Libvirt",
        "libvirt is not running here",
        f"{_START_LIBVIRT}; {GOES_ON}",
    ),
    _Cause(
        ("ProviderNotFound", "ProviderNotFoundSuggestion", "PluginNotInstalled"),
        r"provider '?libvirt'? could not be found|Unknown provider|provider \(libvirt\) could not be found",
        "Vagrant lacks the plug-in for this lab's provider",
        f"install it: sudo apt-get install vagrant-libvirt; {GOES_ON}",
    ),
    _Cause(
        ("VirtualBoxNotDetected", "VBoxManageNotFoundError", "VirtualBoxInstallIncomplete", "NoDefaultProvider"),
        r"could not detect VirtualBox|VBoxManage.*not be found|No usable default provider",
        "VirtualBox is not installed here",
        "install it, or set provider: libvirt in the inventory",
    ),
    _Cause(
        ("VirtualBoxKernelModuleNotLoaded",),
        r"",
        "VirtualBox's kernel module is not loaded",
        f"see `sudo /sbin/vboxconfig`, or set provider: libvirt in the inventory; {GOES_ON}",
    ),
    _Cause(
        ("VirtualBoxInvalidHostSubnet",),
        r"not within the allowed ranges|The IP address configured for the host-only network",
        "VirtualBox refuses the address of a host-only network",
        "do not add host-only networks to the Vagrantfile: the lab's LAN is an internal network, which needs none",
    ),
    _Cause(
        (),
        r"VT-x is not available|VERR_VMX_NO_VMX|AMD-V is not available|VERR_SVM_NO_SVM",
        "VirtualBox needs hardware virtualisation, and this computer offers none",
        "switch it on in the firmware, or in the outer machine's settings (nested virtualisation); "
        "or set provider: libvirt in the inventory, which emulates",
    ),
    _Cause(
        ("ActiveMachineWithDifferentProvider",),
        r"active machine was found with a different provider",
        "the machine was created with another provider",
        "remove it first: clusterlab down with the provider that it was created with, or vagrant destroy",
    ),
    _Cause(
        ("DomainNameExists",),
        r"Name `?\S+`? of domain about to create is already taken",
        "libvirt already has a machine of that name, which is unknown to Vagrant here",
        "if it belongs to another clone of clusterlab, rename one of the labs; otherwise remove it: "
        "virsh -c qemu:///system destroy NAME; virsh -c qemu:///system undefine --remove-all-storage NAME",
    ),
    _Cause(
        ("DomainVolumeExists",),
        r"[Vv]olume for domain is already created",
        "libvirt already has a disk of that name, which remains from a removed machine",
        f"remove it: virsh -c qemu:///system vol-delete --pool default NAME.img; {GOES_ON}",
    ),
    _Cause(
        ("MachineLocked", "MachineActionLockedError", "EnvironmentLockedError"),
        r"action is already running on the machine|process is already executing an action on the machine|"
        r"acquire a lock|is reading the machine index",
        "another Vagrant command is running on these machines",
        f"wait until it has ended; {GOES_ON}",
    ),
    _Cause(
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
        "check its name and version in the inventory, and that this computer reaches the internet; without `box`, "
        "clusterlab builds one itself",
    ),
    _Cause(
        ("DownloaderError",),
        r"error occurred while downloading the remote file",
        "the box could not be downloaded",
        f"check that this computer reaches its server; {GOES_ON}",
    ),
    _Cause(
        ("BoxChecksumMismatch", "DownloaderChecksumError"),
        r"checksum of the downloaded box did not match|checksum.*did not match",
        "the box is damaged: its checksum differs from the published one",
        "rebuild it: clusterlab box --remove, then clusterlab box",
    ),
    _Cause(
        ("VMBootTimeout", "SSHConnectionTimeout", "NoIpAddressError"),
        r"Timed out while waiting for the machine to boot|no IP address|Domain not found.*IP",
        "a machine did not answer in time",
        "allow more time (boot_timeout under vagrant in the inventory), or see its console: "
        "virsh -c qemu:///system console NAME",
    ),
    _Cause(
        ("NetworkNameAndAddressMismatch", "DHCPMismatch", "NetworkNotAvailableError", "CreateNetworkError"),
        r"",
        "libvirt's network for the lab's LAN cannot be created with the settings it needs",
        "see `virsh -c qemu:///system net-list --all`; remove one that remains from another lab "
        "(net-destroy, net-undefine), or rename the lab",
    ),
    _Cause(
        ("SSHNotReady", "VMNotRunningError", "VMNotCreatedError"),
        r"not yet ready for SSH|must be created before running|must be running to open SSH",
        "a machine is not running",
        "start it: clusterlab up, or vagrant up",
    ),
    _Cause(
        ("VagrantInterrupt",),
        r"",
        "Vagrant was interrupted",
        GOES_ON.removeprefix("then "),
    ),
    _Cause(
        (),
        r"Cannot allocate memory|cannot set up guest memory",
        "this computer does not have enough memory for the machines",
        f"give them less (memory under vagrant in the inventory) or stop others; {GOES_ON}",
    ),
    _Cause(
        (),
        r"No space left on device",
        "no space is left on this computer's disk",
        f"free some space where libvirt keeps its disks (/var/lib/libvirt/images); {GOES_ON}",
    ),
    _Cause(
        ("VagrantfileSyntaxError", "VagrantfileLoadError", "VagrantfileNameError", "ConfigInvalid"),
        r"",
        "Vagrant cannot use the Vagrantfile",
        "correct what Vagrant reports; clusterlab's own comes with it",
    ),
)


def explain(command: str, name: str, text: str) -> ClusterlabError:
    """The error for a command line that ended with Vagrant's error class `name`.

    The class may be "". The text is what Vagrant printed.
    """
    line = " ".join(text.split())  # Vagrant breaks its lines
    by_text = (cause for cause in _CAUSES if cause.text and re.search(cause.text, line))
    by_class = (cause for cause in _CAUSES if name in cause.classes)
    for cause in (*by_text, *by_class):
        return ClusterlabError(f"{cause.message} (`{command}`)", remedy=cause.remedy, detail=text)
    return ClusterlabError(
        f"`{command}` failed" + (f" ({name})" if name else ""),
        remedy="correct what Vagrant reports, then run the same command again",
        detail=text,
    )
