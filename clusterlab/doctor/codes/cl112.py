"""CL112: the running kernel's modules are gone."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import KERNEL


def _find(host: HostView, cluster: Cluster) -> Found:
    kernel = host.read(KERNEL)
    missing = [name for name in ("vxlan", "ip_vs") if name not in kernel.loaded]
    if not kernel.loadable or kernel.own_modules or not missing:
        return  # it has no modules at all, or has them, or needs none any more
    others = ", ".join(kernel.other_modules) or "none"
    yield CODE.finding(
        host.name,
        f"{host.name}: kernel {kernel.release} runs without its modules: it was upgraded without a reboot",
        [
            Seen(host.name, "ls /lib/modules", kernel.release, others),
            Seen(host.name, "ls /sys/module", "vxlan, ip_vs", f"not loaded: {', '.join(missing)}"),
        ],
        [Fix(host.name, "reboot, after docker node update --availability drain")],
        hosts=[host.name],
        consequences=("CL109", "CL302", "CL306", "CL309", "CL218"),
    )


CODE = Diagnosis(
    code="CL112",
    title="The modules of the running kernel are gone",
    severity=Severity.ERROR,
    effect="What is loaded keeps working; VXLAN, IPVS or NFS can no longer be loaded, so overlays, the routing "
    "mesh or NFS volumes fail on this node alone.",
    detection="/lib/modules has no folder of the running kernel, and vxlan or ip_vs is neither loaded nor built in.",
    guard="Kernels without modules, and what is loaded already.",
    remedy="Reboot.",
    root=2,
    host=_find,
)
