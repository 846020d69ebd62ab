#!/bin/bash
# systemctl for a host in namespaces, where systemd cannot run: the services below, the verbs below, and a clear error
# for everything else. A service's output goes to /var/log/clusterlab/SERVICE.log, each line after its time.
set -u
run=/run/clusterlab logs=/var/log/clusterlab enabled=/etc/clusterlab/enabled
verbs="start stop restart reload enable disable is-active is-enabled is-failed status daemon-reload is-system-running"
quiet='' now=''

say() { [ "$quiet" ] || echo "$*"; }
die() { echo "systemctl: $1" >&2; exit "${2:-1}"; }

# describe UNIT: sets service, command (what runs), before (what must run first) and ready (shows when it serves)
describe() {
    before=''
    case ${1%.service} in
    ssh | sshd)
        service=ssh command=(/usr/sbin/sshd -D -e) ready=(ssh_answers) ;;
    containerd)
        service=containerd command=(containerd) ready=(test -S /run/containerd/containerd.sock) ;;
    docker | docker.socket)
        service=docker before=containerd ready=(engine_answers)
        command=(dockerd --host unix:///run/docker.sock --containerd /run/containerd/containerd.sock) ;;
    nfs-server | nfs-kernel-server)
        service=nfs-server command=(/usr/local/lib/clusterlab/nfs-server) ready=(exports_answer) ;;
    docker-registry)
        [ -x /usr/bin/docker-registry ] || return 1
        service=docker-registry ready=(registry_answers)
        command=(/usr/bin/docker-registry serve /etc/docker/registry/config.yml) ;;
    *) return 1 ;;
    esac
}
registry_answers() { (: </dev/tcp/127.0.0.1/5000) 2>/dev/null; }
ssh_answers() { (: </dev/tcp/127.0.0.1/22) 2>/dev/null; }
engine_answers() { curl --silent --fail --output /dev/null --max-time 5 --unix-socket /run/docker.sock http://engine/_ping; }
exports_answer() { showmount --no-headers --exports 127.0.0.1 >/dev/null 2>&1; }

main_pid() { cat "$run/$service.pid" 2>/dev/null; }
active() {
    local pid state
    pid=$(main_pid) && read -r _ _ state _ 2>/dev/null <"/proc/$pid/stat" && [ "$state" != Z ]
}
state() { if active; then echo active; elif [ -e "$run/$service.pid" ]; then echo failed; else echo inactive; fi; }

stamp() {
    local line
    exec >>"$logs/$service.log" 2>/dev/null # lets go of the caller's streams
    while IFS= read -r line; do printf '%(%s)T %s\n' -1 "$line"; done
}

# until_true SECONDS COMMAND...: waits until COMMAND succeeds; gives up early when the service is gone
until_true() {
    local deadline=$((SECONDS + $1)); shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        [ "$verb" = stop ] || active || return 1
        sleep 0.05
    done
}

# until_written SECONDS: waits until the last words of a service that ended are in its log, unless its children go on writing
until_written() {
    local deadline=$((SECONDS + $1))
    while kill -0 "$writer" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.05; done
}

start() (
    exec 9>"$run/$service.lock" && flock 9
    active && exit 0
    if [ "$before" ]; then "$0" start "$before" 9>&- || exit 1; fi
    mkdir -p "$run" "$logs" /run/sshd
    exec 8> >(exec 9>&-; stamp)
    writer=$!
    (exec 9>&-; setsid bash -c 'echo $$ >"$0"; exec "$@"' "$run/$service.pid" "${command[@]}" </dev/null >&8 2>&1 8>&- &)
    exec 8>&-
    until [ -s "$run/$service.pid" ]; do sleep 0.01; done
    until_true 90 "${ready[@]}" && exit 0
    active || until_written 5
    echo "Job for $service.service failed: see journalctl -u $service; its last lines:" >&2
    tail -n 5 "$logs/$service.log" >&2
    exit 1
)

stop() {
    local pid verb=stop
    if active; then
        pid=$(main_pid)
        kill -TERM "$pid"
        until_true 60 gone || kill -KILL "$pid"
        until_true 5 gone || die "process $pid of $service does not end"
    fi
    rm -f "$run/$service.pid"
}
gone() { ! active; }

status() {
    echo "$service.service: $(state)$(active && echo ", process $(main_pid)")"
    tail -n 10 "$logs/$service.log" 2>/dev/null | cut -d' ' -f2-
    active || return 3
}

do_verb() {
    case $verb in
    start) start ;;
    stop) stop ;;
    restart) stop && rm -f "$run/$service.pid" && start ;;
    reload) active && kill -HUP "$(main_pid)" ;;
    enable) mkdir -p $enabled && : >"$enabled/$service" && { [ ! "$now" ] || start; } ;;
    disable) rm -f "$enabled/$service" && { [ ! "$now" ] || stop; } ;;
    is-active) say "$(state)"; active || return 3 ;;
    is-failed) say "$(state)"; [ "$(state)" = failed ] ;;
    is-enabled) if [ -e "$enabled/$service" ]; then say enabled; else say disabled; return 1; fi ;;
    status) status ;;
    esac
}

unknown() {
    case $verb in
    is-active | is-failed) say inactive; return 4 ;;
    is-enabled) say not-found; return 4 ;;
    status) echo "Unit $1 could not be found." >&2; return 4 ;;
    *) echo "Failed to $verb $1: Unit $1 not found (this machine has ssh, containerd, docker and nfs-server)." >&2; return 5 ;;
    esac
}

units=() verb=''
for argument; do
    case $argument in
    -q | --quiet) quiet=1 ;;
    --now) now=1 ;;
    --no-pager | --full | -l) ;;
    -*) die "this machine has no systemd; option $argument is not supported" ;;
    *) if [ ! "$verb" ]; then verb=$argument; else units+=("$argument"); fi ;;
    esac
done
case " $verbs " in
*" $verb "*) ;;
*) die "this machine has no systemd; '$verb' is not supported, only: $verbs" ;;
esac
case $verb in
daemon-reload) exit 0 ;;
is-system-running) say running; exit 0 ;;
esac
((${#units[@]})) || die "$verb: no unit is named"
code=0
for unit in "${units[@]}"; do
    if describe "$unit"; then do_verb || code=$?; else unknown "$unit" || code=$?; fi
done
exit $code
