#!/bin/bash
# journalctl for a host in namespaces: shows the services' log files that systemctl there writes.
set -u
logs=/var/log/clusterlab units=() count='' since=0 form=short
die() { echo "journalctl: $1" >&2; exit 1; }

while (($#)); do
    case $1 in
    --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}"; continue ;;
    -u | --unit) units+=("${2%.service}"); shift ;;
    -n | --lines) count=$2; shift ;;
    -n[0-9]*) count=${1#-n} ;;
    -S | --since) since=$(date -d "${2% ago}${2:+ }$([[ $2 == *ago ]] && echo ago)" +%s) || die "cannot read the time $2"; shift ;;
    -o | --output) form=$2; shift ;;
    --no-pager | -q | --quiet | -b | --boot | --no-hostname) ;;
    *) die "this machine has no systemd; $1 is not supported" ;;
    esac
    shift
done
case $form in
short) time='%b %d %H:%M:%S' ;;
short-iso) time='%Y-%m-%dT%H:%M:%S%z' ;;
cat) time='' ;;
*) die "output form $form is not supported, only short, short-iso and cat" ;;
esac

((${#units[@]})) || for log in "$logs"/*.log; do log=${log##*/}; units+=("${log%.log}"); done
for unit in "${units[@]}"; do
    [ "$unit" != sshd ] || unit=ssh
    [ -e "$logs/$unit.log" ] || continue
    while read -r at line; do ((at < since)) || echo "$at $unit $line"; done <"$logs/$unit.log"
done | sort -s -n -k1,1 | { if [ "$count" ]; then tail -n "$count"; else cat; fi; } |
    while read -r at unit line; do
        if [ "$time" ]; then printf "%($time)T %s %s: %s\n" "$at" "$HOSTNAME" "$unit" "$line"; else echo "$line"; fi
    done
