"""How NFS names owners on a host: by number, or by name within a domain (idmapd)."""

from __future__ import annotations

from dataclasses import dataclass

from .section import Section, pairs


@dataclass(frozen=True)
class IdMap:
    """Whether owners are sent as names, by the client and by the server; None where the kernel has no such part."""

    client: bool | None
    server: bool | None
    domain: str  # what the names are in; "" when it is not known


def _idmap(text: str) -> IdMap:
    found = pairs(text)
    names = {"N": True, "Y": False}
    client, server = (names[found[one].strip()] if one in found else None for one in ("client", "server"))
    return IdMap(client, server, found["domain"].strip().lower())


IDMAP: Section[IdMap] = Section(
    "idmap",
    # The domain of the host's name is asked for only where it counts: a resolver may be slow.
    r"""
for one in nfs:client nfsd:server; do
  file=/sys/module/${one%:*}/parameters/nfs4_disable_idmapping
  [ ! -e "$file" ] || echo "${one#*:} $(cat "$file")"
done
domain=$(sed -n 's/^[[:space:]]*Domain[[:space:]]*=[[:space:]]*//p' /etc/idmapd.conf 2>/dev/null | head -n 1)
if [ -z "$domain" ] && grep -qs N /sys/module/nfs/parameters/nfs4_disable_idmapping \
  /sys/module/nfsd/parameters/nfs4_disable_idmapping; then domain=$(limit hostname -d 2>/dev/null); fi
echo "domain $domain"
""",
    _idmap,
)
