"""Rules of nftables that drop what arrives on the LAN card.

How, and what their counters show.

Packets are dropped where they arrive, so that the sender sees nothing of it, as on a real network; before connection
tracking, so that open connections are cut too; and in a table of the fault's own, so that no rule of others is touched.
The elements of the set expire, so the kernel itself ends the fault. Packets of management never match: see `table`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from clusterlab.errors import HostError

from . import card
from .dead_man import MARGIN_SECONDS
from .kind import REFUSED
from .scene import Scene

TABLE = "clusterlab_FAULT_ID"

FIND_SSH = r"""
ssh= process=$$
while [ "$process" -gt 1 ] && [ -z "$ssh" ]; do
    ssh=$(tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p')
    process=$(sed 's/.*) . \([0-9]*\) .*/\1/' "/proc/$process/stat")
done
"""
"""Sets `$ssh` to the two ends of this connection: an address and port of the peer, and of the host. sudo(8) clears the
environment, so the processes above are looked at."""


def spare_peer(addresses: Iterable[str]) -> str:
    """The lines of a script that end it when it would cut off itself.

    That is when the connection that carries it comes from one of these addresses.
    """
    return f"""{FIND_SSH}
case " {" ".join(addresses)} " in *" ${{ssh%% *}} "*)
    echo "it would cut the connection that it is injected through, from ${{ssh%% *}}" >&2; exit {REFUSED};;
esac"""


def table(address: str, cut: Iterable[str], match: str, lasts: float, spares_ssh: bool) -> str:
    """The script that makes the table on the host with this LAN address.

    `match` narrows down what is dropped.

    The host refuses when the connection that carries the script comes from an address in `cut`, unless the match
    spares SSH.
    """
    addresses = list(cut)
    return "\n".join(
        [
            card.find(address),
            "" if spares_ssh else spare_peer(addresses),
            drop("ipv4_addr", addresses, f'iifname "$lan" ip saddr @cut {match}', lasts),
        ]
    )


def drop(key: str, cut: Iterable[str], rule: str, lasts: float) -> str:
    """The script that makes a table whose `rule` drops packets.

    `cut` is the content of its set, of which `key` is the type.
    """
    elements = ", ".join(f"{one} timeout {int(lasts + MARGIN_SECONDS)}s" for one in cut)
    return f"""PATH=$PATH:/usr/sbin:/sbin
{card.require("nft", "nftables")}
nft -f - <<EOF
table inet {TABLE} {{
    set cut {{ type {key}; flags timeout; elements = {{ {elements} }} }}
    chain cut {{
        type filter hook prerouting priority raw; policy accept;
        {rule} counter drop
    }}
}}
EOF"""


HEAL = (
    f"PATH=$PATH:/usr/sbin:/sbin; nft delete table inet {TABLE} 2>/dev/null; ! nft list table inet {TABLE} 2>/dev/null"
)


def dropped(scene: Scene, host: str, fault: str) -> int:
    """How many packets the fault has dropped on a host.

    -1 when it has no table there, or its set is empty.
    """
    name = TABLE.replace("FAULT_ID", fault)
    done = scene.hosts[host].run(f"PATH=$PATH:/usr/sbin:/sbin nft -j list table inet {name}", timeout=10.0, spare=True)
    if not done.ok:
        return -1
    try:
        items = json.loads(done.stdout)["nftables"]
        if not any(item["set"].get("elem") for item in items if "set" in item):
            return -1
        rules = [item["rule"]["expr"] for item in items if "rule" in item]
        return sum(int(one["counter"]["packets"]) for rule in rules for one in rule if "counter" in one)
    except (ValueError, KeyError, TypeError) as error:
        raise HostError(host, "the output of nft cannot be parsed", detail=done.output[-2000:]) from error
