"""The one command with which a place probes all others.

With the command for one of them as a person types it.
"""

from __future__ import annotations

from collections.abc import Sequence

from .answering import PATH
from .mesh_answers import OPEN, OWN
from .place import Place

MTU = 'cat "/sys/class/net/$(ip -o route get "$1" | sed -n "s/.* dev \\([^ ]*\\).*/\\1/p")/mtu"'
"""Prints the longest packet that the interface towards an address, the first argument, can send."""

WHO = f"""exec 3<>"/dev/tcp/$1/$2" || exit; echo {OPEN}
printf "GET {PATH} HTTP/1.0\\r\\n\\r\\n" >&3
while IFS= read -r -n 200 line || [ "$line" ]; do last=$line; done <&3; echo "${{last//[^[:alnum:] .-]/}}\""""
"""Prints that a port, the second argument, is open, and the last line of the page that says who answers there."""

SCRIPT = f"""
set -f
by=$1 port=$2 wait=$3; shift 3
mtu() {{ {MTU}; }}
fragments() {{ awk '/^Ip:/ {{ if (at) print $at; for (i = 2; i <= NF; i++) if ($i == "FragCreates") at = i }}' \
  /proc/net/snmp; }}
moment() {{ read -r up rest < /proc/uptime; echo "${{up%.*}}${{up#*.}}"; }}
try() {{
  case $by in
  name) nslookup "$1" 2>/dev/null | awk '/^Name:/ {{ n = 1 }} n && /^Address/ {{ print $NF }}' | sort -u | xargs ;;
  ping) ping -c 2 -W "$wait" -q "$2" 2>&1 | grep packets ;;
  udp) echo 0 $(traceroute -n -q 2 -m 1 -p "$3" -w "$wait" "$2" 2>&1 | tail -n 1) ;;
  packets) m=$(mtu "$2") before=$(fragments)
       answer=$(traceroute -F -n -q 2 -m 1 -p "$3" -w "$wait" "$2" "$m" 2>&1 | tail -n 1)
       echo "$m+$(($(fragments) - before))" $answer ;;
  tcp) timeout "$wait" bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$2" "$port" 2>&1 ;;
  answer) timeout "$wait" bash -c '{WHO}' bash "$2" "$port" 2>&1 ;;
  fetch) set -o pipefail; begun=$(moment)
       size=$(wget -q -T "$wait" -O - "http://$2:$port/data" 2>/dev/null | wc -c); code=$?
       echo "$size bytes in $(($(moment) - begun)) hundredths"; return $code ;;
  esac
}}
ask() {{
  said=$(try "$1" "$2" "$3"); code=$?
  printf '%s\\t%s\\t%s\\n' "$1" "$code" "$(echo "$said" | tr '\\n\\t' '  ')"
}}
own() {{ awk '/32 host LOCAL/ {{ print last }} {{ last = $2 }}' /proc/net/fib_trie | sort -u | xargs; }}
printf '{OWN}\\t0\\t%s\\n' "$(own)"
together() {{
  udp=33434
  for one in "$@"; do udp=$((udp + 16)); ask "${{one%%=*}}" "${{one#*=}}" "$udp" & done
  wait
}}
in_turn() {{
  udp=33434
  for one in "$@"; do udp=$((udp + 16)); ask "${{one%%=*}}" "${{one#*=}}" "$udp"; done
}}
case $by in
fetch) in_turn "$@" ;;
packets) before=$(fragments); said=$(together "$@")
  if [ "$(fragments)" = "$before" ]; then printf '%s\\n' "$said"; else in_turn "$@"; fi ;;
*) together "$@" ;;
esac
"""
"""Arguments: the way, a port, seconds, and NAME=ADDRESS for each target.

Prints its own addresses, as the kernel has them, and a line for each target as it ends: the name, an exit code and what
the tool printed, separated by tabs. Downloads follow one another: at the same time each would measure the others.
Packets of full size are sent to all at once, and to one after the other only when some left in fragments, as they do
once the kernel has been told that they are too long: it counts fragments of all targets together. Each traceroute has
UDP ports of its own, since each sees the answers to all of them.
"""


def command(by: str, place: Place, name: str, address: str, port: int | None, wait: int, size: str) -> Sequence[str]:
    """What asks one target at a place; `size` is the longest packet of its interface."""
    match by:
        case "name":
            return ["nslookup", name]
        case "ping":
            return ["ping", "-c", "2", "-W", str(wait), "-q", address]
        case "udp":
            return ["traceroute", "-n", "-q", "2", "-m", "1", "-w", str(wait), address]
        case "packets":
            return ["traceroute", "-F", "-n", "-q", "2", "-m", "1", "-w", str(wait), address, size]
        case "tcp" if not place.container:
            return ["timeout", str(wait), "bash", "-c", 'exec 3<>"/dev/tcp/$1/$2"', "bash", address, str(port)]
        case "answer":
            return ["timeout", str(wait), "bash", "-c", WHO, "bash", address, str(port)]
        case "tcp":
            return ["nc", "-w", str(wait), address, str(port), "-e", "true"]
        case _:
            return ["wget", "-q", "-T", str(wait), "-O", "/dev/null", f"http://{address}:{port}/data"]
