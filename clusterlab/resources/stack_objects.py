"""Networks, configs and secrets of stacks.

Created, and given other labels, which is all of them that changes.
"""

from __future__ import annotations

from collections.abc import Mapping

from clusterlab.stacks.service_specs import Spec

from .base import LABEL_LAB, Difference
from .compare import differences
from .engine_calls import engine, pairs, shell
from .observed import Observed, labels_of
from .ownership import with_owner
from .spec_calls import send
from .stack_view import StackObject


def network_drift(spec: Spec, found: StackObject) -> list[Difference]:
    """How a network that exists differs from the stack's files: it is used as it is."""
    listed, ipam = found.listed, spec.get("IPAM") or {}
    subnets = [one["Subnet"] for one in ipam.get("Config", [])]
    has = [one.get("Subnet") for one in (listed.get("IPAM") or {}).get("Config") or []]
    options = listed.get("Options") or {}
    return [
        *differences(
            "",
            {"driver": spec["Driver"], "internal": spec.get("Internal"), "attachable": spec.get("Attachable")},
            {
                "driver": listed.get("Driver"),
                "internal": listed.get("Internal"),
                "attachable": listed.get("Attachable"),
            },
        ),
        *(  # an empty one counts: `encrypted` alone encrypts
            Difference(f"driver_opts.{key}", wanted, options.get(key))
            for key, wanted in spec.get("Options", {}).items()
            if wanted != options.get(key)
        ),
        *([Difference("ipam.config", subnets, has)] if subnets and subnets != has else []),
    ]


def create_network(name: str, spec: Spec, at: Observed) -> None:
    with engine(at.host, f"create network {name}") as api:
        labels = with_owner({**spec["Labels"], LABEL_LAB: at.lab})
        send(api, "/networks/create", {**spec, "Name": name, "CheckDuplicate": True, "Labels": labels})


def create_file(kind: str, name: str, spec: Spec, at: Observed) -> None:
    with engine(at.host, f"create {kind} {name}") as api:
        labels = with_owner({**spec["Labels"], LABEL_LAB: at.lab})
        send(api, f"/{kind}s/create", {**spec, "Name": name, "Labels": labels})


def relabel(at: Observed, found: StackObject, labels: Mapping[str, str]) -> None:
    """Give a config or secret other labels, which is all of it that can change."""
    kind = found.kind
    with engine(at.host, f"update {kind} {found.name}") as api:
        listed = getattr(api, f"inspect_{kind}")(found.id)
        spec = {
            **listed["Spec"],
            "Labels": with_owner({**labels, LABEL_LAB: at.lab}, labels_of(listed)),
        }
        send(api, f"/{kind}s/{found.id}/update", spec, version=str(listed["Version"]["Index"]))


def network_command(name: str, spec: Spec) -> str:
    words = ["docker", "network", "create", "--driver", spec["Driver"]]
    words += [flag for flag, key in (("--internal", "Internal"), ("--attachable", "Attachable")) if spec.get(key)]
    ipam = spec.get("IPAM") or {}
    words += ["--ipam-driver", ipam["Driver"]] if ipam.get("Driver") else []
    words += [word for one in ipam.get("Config", []) for word in ("--subnet", one["Subnet"])]
    return shell([*words, *pairs("--opt", spec.get("Options", {})), *pairs("--label", spec["Labels"]), name])


def file_command(kind: str, name: str, spec: Spec, file: str = "FILE") -> str:
    words = ["docker", kind, "create", *pairs("--label", spec["Labels"])]
    words += ["--template-driver", spec["Templating"]["Name"]] if "Templating" in spec else []
    words += ["--driver", spec["Driver"]["Name"]] if "Driver" in spec else []
    return shell([*words, name, *([file] if "Data" in spec else [])])
