#host1
failed=

# tasks
(
found=$(docker service ps --no-trunc web --filter desired-state=running --format '{{.CurrentState}}' | grep -c ^Running); [ "$found" -eq 2 ]
) || failed="$failed; "tasks
(
[ $(docker service ps --no-trunc web --filter desired-state=running --format '{{.CurrentState}}' | grep -c ^Running) -ge 1 ] && ended=$(docker service ps --no-trunc web --filter desired-state=shutdown --format '{{.CurrentState}}') && ! echo "$ended" | grep -E '^(Failed|Rejected) ([0-9]+ seconds|less than a second|about a minute) ago'
) || failed="$failed; "tasks
(
[ -n "$(docker service ps --no-trunc web --filter desired-state=running --format '{{.Node}}' | sort)" ] && [ "$(docker service ps --no-trunc web --filter desired-state=running --format '{{.Node}}' | sort | uniq -c | sort -n | tail -n 1 | awk '{print $1}')" -le 1 ] && found=$(docker service ps --no-trunc web --filter desired-state=running --format '{{.Node}}' | sort | uniq | xargs docker node inspect --format '{{.Spec.Role}}') && ! echo "$found" | grep -vixF -- worker && found=$(docker service ps --no-trunc web --filter desired-state=running --format '{{.Node}}' | sort | uniq | xargs docker node inspect --format '{{index .Spec.Labels "disk"}}') && ! echo "$found" | grep -ixF -- slow
) || failed="$failed; "tasks
(
found=$(docker service ps --no-trunc web --filter desired-state=running --format '{{.CurrentState}}' | grep -c ^Running); [ "$found" -ge 1 ] && [ $found -le $(docker node ls --quiet | wc -l) ]
) || failed="$failed; "tasks
(
[ $(docker service ps --no-trunc web --filter desired-state=running --format '{{.CurrentState}}' | grep -c ^Running) -ge 1 ] && docker inspect --format '{{.CreatedAt.Unix}} {{.UpdatedAt.Unix}}' $(docker service ps --quiet --filter desired-state=running web) | awk '$2 - $1 > 30 { exit 1 }'
) || failed="$failed; "tasks
(
[ $(docker service ps --no-trunc web --filter desired-state=running --format '{{.CurrentState}}' | grep -c ^Running) -ge 1 ]
) || failed="$failed; "tasks
(
found=$(docker ps --filter label=com.docker.swarm.service.name=web --format '{{.Status}}') && { [ -z "$found" ] || ! echo "$found" | grep -v '(healthy)'; }
) || failed="$failed; "tasks

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# tasks
(
found=$(docker ps --filter label=com.docker.swarm.service.name=web --format '{{.Status}}') && { [ -z "$found" ] || ! echo "$found" | grep -v '(healthy)'; }
) || failed="$failed; "tasks

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# tasks
(
found=$(docker service ls --filter name=db --format '{{.Name}} {{.Replicas}}' | sed -n 's/^db .*(\([0-9]*\)\/.* completed)$/\1/p'); [ "${found:-0}" -ge 2 ]
) || failed="$failed; "tasks
(
state=$(docker service inspect --format '{{with .UpdateStatus}}{{.State}}{{end}}' web) && ! echo "$state" | grep -E '^(paused|rollback_)'
) || failed="$failed; "tasks

# between services
(
docker service inspect --format '{{range .Endpoint.Ports}}{{println .PublishMode .Protocol .PublishedPort}}{{end}}' web | grep -qxF 'ingress tcp 8080'
) || failed="$failed; "'between services'
(
docker service ps --filter desired-state=running --format '{{.CurrentState}}' web | grep -q ^Running
) || failed="$failed; "'between services'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# between services
(
timeout 4 bash -c '</dev/tcp/192.168.98.11/8080'
) || failed="$failed; "'between services'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# between services
(
timeout 4 bash -c '</dev/tcp/192.168.98.12/8080'
) || failed="$failed; "'between services'
(
docker service inspect --format '{{range .Endpoint.Ports}}{{println .PublishMode .Protocol .PublishedPort}}{{end}}' web | grep -qxF 'host tcp 443'
) || failed="$failed; "'between services'
(
docker service ps --filter desired-state=running --format '{{.CurrentState}}' web | grep -q ^Running
) || failed="$failed; "'between services'
tasks_of_web_on_host1=$(docker service ps --filter desired-state=running --filter node=host1 --quiet web); echo "tasks_of_web_on_host1=$tasks_of_web_on_host1"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# between services
: "${tasks_of_web_on_host1:?is what another host printed}"
(
[ -z "$tasks_of_web_on_host1" ] || timeout 4 bash -c '</dev/tcp/192.168.98.11/443'
) || failed="$failed; "'between services'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# between services
tasks_of_web_on_host2=$(docker service ps --filter desired-state=running --filter node=host2 --quiet web); echo "tasks_of_web_on_host2=$tasks_of_web_on_host2"
(
[ -z "$tasks_of_web_on_host2" ] || timeout 4 bash -c '</dev/tcp/192.168.98.12/443'
) || failed="$failed; "'between services'
(
[ "$tasks_of_web_on_host1$tasks_of_web_on_host2" ]
) || failed="$failed; "'between services'
addresses_of_api=$(docker inspect --format '{{range .NetworksAttachments}}{{if ne .Network.Spec.Name "ingress"}}{{range .Addresses}}{{println .}}{{end}}{{end}}{{end}}' $(docker service ps --quiet --filter desired-state=running api) | cut -d / -f 1 | sort -u); echo "addresses_of_api=$addresses_of_api"
nodes_of_web=$(docker service ps --filter desired-state=running --format '{{.Node}}' web | sort -u | grep .); echo "nodes_of_web=$nodes_of_web"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host1 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
found=$(nsenter --net=/proc/$pid/ns/net nslookup tasks.api 127.0.0.11 | awk '/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }'); [ -n "$found" ] || exit 1
for one in $found; do case " "$(echo $addresses_of_api)" " in *" $one "*) ;; *) exit 1;; esac; done || exit 1
done
) || failed="$failed; "'between services'
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host1 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
found=$(nsenter --net=/proc/$pid/ns/net nslookup tasks.intern 127.0.0.11 | awk '/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }'); [ -n "$found" ] || exit 1
for one in $found; do case " "$(echo $addresses_of_api)" " in *" $one "*) ;; *) exit 1;; esac; done || exit 1
done
) || failed="$failed; "'between services'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# between services
: "${nodes_of_web:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host2 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
found=$(nsenter --net=/proc/$pid/ns/net nslookup tasks.api 127.0.0.11 | awk '/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }'); [ -n "$found" ] || exit 1
for one in $found; do case " "$(echo $addresses_of_api)" " in *" $one "*) ;; *) exit 1;; esac; done || exit 1
done
) || failed="$failed; "'between services'
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host2 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
found=$(nsenter --net=/proc/$pid/ns/net nslookup tasks.intern 127.0.0.11 | awk '/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }'); [ -n "$found" ] || exit 1
for one in $found; do case " "$(echo $addresses_of_api)" " in *" $one "*) ;; *) exit 1;; esac; done || exit 1
done
) || failed="$failed; "'between services'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# between services
addresses_of_api_by_network=$(docker inspect --format '{{range .NetworksAttachments}}{{$network := .Network}}{{if ne $network.Spec.Name "ingress"}}{{range .Addresses}}{{println $network.ID .}}{{end}}{{end}}{{end}}' $(docker service ps --quiet --filter desired-state=running api) | sed -nE 's,/.*,,; s,^([0-9a-z]+) ([0-9a-f.:]+)$,\1/\2,p' | sort -u); echo "addresses_of_api_by_network=$addresses_of_api_by_network"
addresses_of_api_by_network_on_host1=$(found=$( ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=api) && { [ -z "$ids" ] || docker inspect --format '{{range $name, $at := .NetworkSettings.Networks}}{{if ne $name "ingress"}}{{println $at.NetworkID $at.IPAddress}}{{end}}{{end}}' $ids; } ) && echo "$found" | sed -nE 's,/.*,,; s,^([0-9a-z]+) ([0-9a-f.:]+)$,\1/\2,p' | sort -u); echo "addresses_of_api_by_network_on_host1=$addresses_of_api_by_network_on_host1"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# between services
addresses_of_api_by_network_on_host2=$(found=$( ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=api) && { [ -z "$ids" ] || docker inspect --format '{{range $name, $at := .NetworkSettings.Networks}}{{if ne $name "ingress"}}{{println $at.NetworkID $at.IPAddress}}{{end}}{{end}}' $ids; } ) && echo "$found" | sed -nE 's,/.*,,; s,^([0-9a-z]+) ([0-9a-f.:]+)$,\1/\2,p' | sort -u); echo "addresses_of_api_by_network_on_host2=$addresses_of_api_by_network_on_host2"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# between services
nodes_of_api=$(docker service ps --filter desired-state=running --format '{{.Node}}' api | sort -u | grep .); echo "nodes_of_api=$nodes_of_api"
ports_of_api_on_host1=$(found=$( (
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=api) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_api" | tr '\n' ' ')" in "  "|*" host1 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
nsenter --net=/proc/$pid/ns/net ss -Hltn | awk '{print $4}' | grep -vE '^(127|\[::1)' | sed 's/.*://' || exit 1
done
) ) && echo "$found" | sort -un); echo "ports_of_api_on_host1=$ports_of_api_on_host1"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# between services
: "${nodes_of_api:?is what another host printed}"
ports_of_api_on_host2=$(found=$( (
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=api) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_api" | tr '\n' ' ')" in "  "|*" host2 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
nsenter --net=/proc/$pid/ns/net ss -Hltn | awk '{print $4}' | grep -vE '^(127|\[::1)' | sed 's/.*://' || exit 1
done
) ) && echo "$found" | sort -un); echo "ports_of_api_on_host2=$ports_of_api_on_host2"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# between services
: "${nodes_of_web:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host1 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
networks=$(docker inspect --format '{{.State.Pid}}{{range .NetworkSettings.Networks}} {{.NetworkID}}{{end}}' $(docker ps --quiet) | grep ^$pid' ') || exit 1; asked=; for each in $addresses_of_api_by_network $addresses_of_api_by_network_on_host1 $addresses_of_api_by_network_on_host2; do case $networks in *${each%%/*}*) ;; *) continue;; esac; address=${each#*/}; nsenter --net=/proc/$pid/ns/net ping -n -c 2 -W 2 $address || exit 1; asked=1; for port in $ports_of_api_on_host1 $ports_of_api_on_host2; do timeout 4 nsenter --net=/proc/$pid/ns/net bash -c '</dev/tcp/'$address/$port || exit 1; asked=1; done; done; [ "$asked" ] || exit 1
done
) || failed="$failed; "'between services'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# between services
: "${nodes_of_web:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host2 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
networks=$(docker inspect --format '{{.State.Pid}}{{range .NetworkSettings.Networks}} {{.NetworkID}}{{end}}' $(docker ps --quiet) | grep ^$pid' ') || exit 1; asked=; for each in $addresses_of_api_by_network $addresses_of_api_by_network_on_host1 $addresses_of_api_by_network_on_host2; do case $networks in *${each%%/*}*) ;; *) continue;; esac; address=${each#*/}; nsenter --net=/proc/$pid/ns/net ping -n -c 2 -W 2 $address || exit 1; asked=1; for port in $ports_of_api_on_host1 $ports_of_api_on_host2; do timeout 4 nsenter --net=/proc/$pid/ns/net bash -c '</dev/tcp/'$address/$port || exit 1; asked=1; done; done; [ "$asked" ] || exit 1
done
) || failed="$failed; "'between services'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# between services
virtual_addresses_of_api=$(docker service inspect --format '{{range .Endpoint.VirtualIPs}}{{println .NetworkID .Addr}}{{end}}' api | grep -v "^$(docker network inspect --format '{{.Id}}' ingress) " | sed -nE 's,/.*,,; s,^([0-9a-z]+) ([0-9a-f.:]+)$,\1/\2,p' | sort -u); echo "virtual_addresses_of_api=$virtual_addresses_of_api"
: "${nodes_of_web:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host1 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
networks=$(docker inspect --format '{{.State.Pid}}{{range .NetworkSettings.Networks}} {{.NetworkID}}{{end}}' $(docker ps --quiet) | grep ^$pid' ') || exit 1; asked=; for each in $virtual_addresses_of_api; do case $networks in *${each%%/*}*) ;; *) continue;; esac; address=${each#*/}; for port in $ports_of_api_on_host1 $ports_of_api_on_host2; do timeout 4 nsenter --net=/proc/$pid/ns/net bash -c '</dev/tcp/'$address/$port || exit 1; asked=1; done; done; [ "$asked" ] || exit 1
done
) || failed="$failed; "'between services'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# between services
: "${nodes_of_web:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host2 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
networks=$(docker inspect --format '{{.State.Pid}}{{range .NetworkSettings.Networks}} {{.NetworkID}}{{end}}' $(docker ps --quiet) | grep ^$pid' ') || exit 1; asked=; for each in $virtual_addresses_of_api; do case $networks in *${each%%/*}*) ;; *) continue;; esac; address=${each#*/}; for port in $ports_of_api_on_host1 $ports_of_api_on_host2; do timeout 4 nsenter --net=/proc/$pid/ns/net bash -c '</dev/tcp/'$address/$port || exit 1; asked=1; done; done; [ "$asked" ] || exit 1
done
) || failed="$failed; "'between services'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# between services
addresses_of_db_by_network=$(docker inspect --format '{{range .NetworksAttachments}}{{$network := .Network}}{{if ne $network.Spec.Name "ingress"}}{{range .Addresses}}{{println $network.ID .}}{{end}}{{end}}{{end}}' $(docker service ps --quiet --filter desired-state=running db) | sed -nE 's,/.*,,; s,^([0-9a-z]+) ([0-9a-f.:]+)$,\1/\2,p' | sort -u); echo "addresses_of_db_by_network=$addresses_of_db_by_network"
addresses_of_db_by_network_on_host1=$(found=$( ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=db) && { [ -z "$ids" ] || docker inspect --format '{{range $name, $at := .NetworkSettings.Networks}}{{if ne $name "ingress"}}{{println $at.NetworkID $at.IPAddress}}{{end}}{{end}}' $ids; } ) && echo "$found" | sed -nE 's,/.*,,; s,^([0-9a-z]+) ([0-9a-f.:]+)$,\1/\2,p' | sort -u); echo "addresses_of_db_by_network_on_host1=$addresses_of_db_by_network_on_host1"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# between services
addresses_of_db_by_network_on_host2=$(found=$( ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=db) && { [ -z "$ids" ] || docker inspect --format '{{range $name, $at := .NetworkSettings.Networks}}{{if ne $name "ingress"}}{{println $at.NetworkID $at.IPAddress}}{{end}}{{end}}' $ids; } ) && echo "$found" | sed -nE 's,/.*,,; s,^([0-9a-z]+) ([0-9a-f.:]+)$,\1/\2,p' | sort -u); echo "addresses_of_db_by_network_on_host2=$addresses_of_db_by_network_on_host2"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# between services
nodes_of_db=$(docker service ps --filter desired-state=running --format '{{.Node}}' db | sort -u | grep .); echo "nodes_of_db=$nodes_of_db"
: "${nodes_of_web:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host1 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
asked=; for card in $(awk 'FNR == 1 { next }
NR == FNR {
  if ($1 ~ /^docker(0|_gwbridge)$/ || ($1 ~ /^br-[0-9a-f]+$/ && length($1) == 15)) bridge[$2, $8]
  next
}
{ all[$1] } ($2, $8) in bridge { out[$1] }
END { for (one in all) if (!(one in out)) print one }' /proc/net/route /proc/$pid/net/route); do for each in $addresses_of_db_by_network $addresses_of_db_by_network_on_host1 $addresses_of_db_by_network_on_host2; do ! nsenter --net=/proc/$pid/ns/net ping -n -c 2 -W 2 -I $card ${each#*/} || exit 1; asked=1; done; done; [ "$asked" ] || exit 1 || exit 1
done
) || failed="$failed; "'between services'
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=db) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_db" | tr '\n' ' ')" in "  "|*" host1 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
nsenter --net=/proc/$pid/ns/net ping -n -c 1 "$(nsenter --net=/proc/$pid/ns/net ip -o -4 address show eth0 | sed -E "s/.* inet ([0-9.]+).*/\1/")" || exit 1
done
) || failed="$failed; "'between services'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# between services
: "${nodes_of_web:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host2 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
asked=; for card in $(awk 'FNR == 1 { next }
NR == FNR {
  if ($1 ~ /^docker(0|_gwbridge)$/ || ($1 ~ /^br-[0-9a-f]+$/ && length($1) == 15)) bridge[$2, $8]
  next
}
{ all[$1] } ($2, $8) in bridge { out[$1] }
END { for (one in all) if (!(one in out)) print one }' /proc/net/route /proc/$pid/net/route); do for each in $addresses_of_db_by_network $addresses_of_db_by_network_on_host1 $addresses_of_db_by_network_on_host2; do ! nsenter --net=/proc/$pid/ns/net ping -n -c 2 -W 2 -I $card ${each#*/} || exit 1; asked=1; done; done; [ "$asked" ] || exit 1 || exit 1
done
) || failed="$failed; "'between services'
: "${nodes_of_db:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=db) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_db" | tr '\n' ' ')" in "  "|*" host2 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
nsenter --net=/proc/$pid/ns/net ping -n -c 1 "$(nsenter --net=/proc/$pid/ns/net ip -o -4 address show eth0 | sed -E "s/.* inet ([0-9.]+).*/\1/")" || exit 1
done
) || failed="$failed; "'between services'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# in tasks
nodes_of_web=$(docker service ps --filter desired-state=running --format '{{.Node}}' web | sort -u | grep .); echo "nodes_of_web=$nodes_of_web"
directory_of_web_on_host1=$(found=$( (
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host1 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
sh -c 'root=$1 rest=$2 at= links=0; shift 2
while [ "$rest" ]; do
  part=${rest%%/*}
  case $rest in */*) rest=${rest#*/};; *) rest=;; esac
  case $part in ""|.) continue;; ..) at=${at%/*}; continue;; esac
  at=$at/$part
  [ -L "$root$at" ] || continue
  [ $((links += 1)) -le 40 ] || { echo "too many symbolic links" >&2; exit 1; }
  link=$(readlink "$root$at" && echo .) || exit 1
  case $link in /*) at=;; *) at=${at%/*};; esac
  rest=${link%??}/$rest
done
exec "$@" "$root${at:-/}"
' sh /proc/$pid/root /data stat -c %i || exit 1
done
) ) && echo "$found" | sort -u); echo "directory_of_web_on_host1=$directory_of_web_on_host1"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host1 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
found=$(awk '$2 == "/data" { line = $0 } END { print line }' /proc/$pid/mounts) && [ -n "$found" ] && printf '%s\n' "$found" | grep -qE '^[^ ]+ [^ ]+ (nfs|nfs4) ' && printf '%s\n' "$found" | grep -qE '^:/shares ' && printf '%s\n' "$found" | grep -qE ' ([^ ]*,)?rw(,[^ ]*)? [0-9]+ [0-9]+$' && printf '%s\n' "$found" | grep -qE ' ([^ ]*,)?vers=4\.2(,[^ ]*)? [0-9]+ [0-9]+$' || exit 1
done
) || failed="$failed; "'in tasks'
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host1 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
docker volume inspect --format '{{json .Options}}' data > /dev/null && [ "$(docker volume inspect --format '{{index .Options "type"}}' data)" = nfs ] && [ "$(docker volume inspect --format '{{index .Options "device"}}' data)" = :/shares ] && [ "$(docker volume inspect --format '{{index .Options "o"}}' data)" = addr=nas,rw,nfsvers=4.2 ] || exit 1
done
) || failed="$failed; "'in tasks'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# in tasks
: "${nodes_of_web:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host2 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
found=$(awk '$2 == "/data" { line = $0 } END { print line }' /proc/$pid/mounts) && [ -n "$found" ] && printf '%s\n' "$found" | grep -qE '^[^ ]+ [^ ]+ (nfs|nfs4) ' && printf '%s\n' "$found" | grep -qE '^:/shares ' && printf '%s\n' "$found" | grep -qE ' ([^ ]*,)?rw(,[^ ]*)? [0-9]+ [0-9]+$' && printf '%s\n' "$found" | grep -qE ' ([^ ]*,)?vers=4\.2(,[^ ]*)? [0-9]+ [0-9]+$' || exit 1
done
) || failed="$failed; "'in tasks'
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host2 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
docker volume inspect --format '{{json .Options}}' data > /dev/null && [ "$(docker volume inspect --format '{{index .Options "type"}}' data)" = nfs ] && [ "$(docker volume inspect --format '{{index .Options "device"}}' data)" = :/shares ] && [ "$(docker volume inspect --format '{{index .Options "o"}}' data)" = addr=nas,rw,nfsvers=4.2 ] || exit 1
done
) || failed="$failed; "'in tasks'
: "${directory_of_web_on_host1:?is what another host printed}"
(
found=$(found=$( (
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host2 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
sh -c 'root=$1 rest=$2 at= links=0; shift 2
while [ "$rest" ]; do
  part=${rest%%/*}
  case $rest in */*) rest=${rest#*/};; *) rest=;; esac
  case $part in ""|.) continue;; ..) at=${at%/*}; continue;; esac
  at=$at/$part
  [ -L "$root$at" ] || continue
  [ $((links += 1)) -le 40 ] || { echo "too many symbolic links" >&2; exit 1; }
  link=$(readlink "$root$at" && echo .) || exit 1
  case $link in /*) at=;; *) at=${at%/*};; esac
  rest=${link%??}/$rest
done
exec "$@" "$root${at:-/}"
' sh /proc/$pid/root /data stat -c %i || exit 1
done
) ) && echo "$found" | sort -u) && { [ -z "$found" ] || [ "$found" = "$directory_of_web_on_host1" ]; }
) || failed="$failed; "'in tasks'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# in tasks
: "${nodes_of_web:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host1 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
file=$(stat -L -c %d:%i /srv/web) && [ "$file" = "$(sh -c 'root=$1 rest=$2 at= links=0; shift 2
while [ "$rest" ]; do
  part=${rest%%/*}
  case $rest in */*) rest=${rest#*/};; *) rest=;; esac
  case $part in ""|.) continue;; ..) at=${at%/*}; continue;; esac
  at=$at/$part
  [ -L "$root$at" ] || continue
  [ $((links += 1)) -le 40 ] || { echo "too many symbolic links" >&2; exit 1; }
  link=$(readlink "$root$at" && echo .) || exit 1
  case $link in /*) at=;; *) at=${at%/*};; esac
  rest=${link%??}/$rest
done
exec "$@" "$root${at:-/}"
' sh /proc/$pid/root /data stat -c %d:%i)" ] || exit 1
done
) || failed="$failed; "'in tasks'
(
command -v findmnt > /dev/null || exit 1
wanted=$(findmnt --fstab --noheadings --output TARGET --target /srv/web | tail -n 1); [ -z "$wanted" ] || mountpoint --quiet "$wanted"
) || failed="$failed; "'in tasks'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# in tasks
: "${nodes_of_web:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=web) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_web" | tr '\n' ' ')" in "  "|*" host2 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
file=$(stat -L -c %d:%i /srv/web) && [ "$file" = "$(sh -c 'root=$1 rest=$2 at= links=0; shift 2
while [ "$rest" ]; do
  part=${rest%%/*}
  case $rest in */*) rest=${rest#*/};; *) rest=;; esac
  case $part in ""|.) continue;; ..) at=${at%/*}; continue;; esac
  at=$at/$part
  [ -L "$root$at" ] || continue
  [ $((links += 1)) -le 40 ] || { echo "too many symbolic links" >&2; exit 1; }
  link=$(readlink "$root$at" && echo .) || exit 1
  case $link in /*) at=;; *) at=${at%/*};; esac
  rest=${link%??}/$rest
done
exec "$@" "$root${at:-/}"
' sh /proc/$pid/root /data stat -c %d:%i)" ] || exit 1
done
) || failed="$failed; "'in tasks'
(
command -v findmnt > /dev/null || exit 1
wanted=$(findmnt --fstab --noheadings --output TARGET --target /srv/web | tail -n 1); [ -z "$wanted" ] || mountpoint --quiet "$wanted"
) || failed="$failed; "'in tasks'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#here
failed=

# in tasks
digest_of_password_txt=$(sha256sum < password.txt); echo "digest_of_password_txt=$digest_of_password_txt"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# in tasks
nodes_of_db=$(docker service ps --filter desired-state=running --format '{{.Node}}' db | sort -u | grep .); echo "nodes_of_db=$nodes_of_db"
: "${digest_of_password_txt:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=db) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_db" | tr '\n' ' ')" in "  "|*" host1 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
file=$(sh -c 'root=$1 rest=$2 at= links=0; shift 2
while [ "$rest" ]; do
  part=${rest%%/*}
  case $rest in */*) rest=${rest#*/};; *) rest=;; esac
  case $part in ""|.) continue;; ..) at=${at%/*}; continue;; esac
  at=$at/$part
  [ -L "$root$at" ] || continue
  [ $((links += 1)) -le 40 ] || { echo "too many symbolic links" >&2; exit 1; }
  link=$(readlink "$root$at" && echo .) || exit 1
  case $link in /*) at=;; *) at=${at%/*};; esac
  rest=${link%??}/$rest
done
exec "$@" "$root${at:-/}"
' sh /proc/$pid/root /run/secrets/password printf '%s\n') && [ -f "$file" ] && [ "$(stat -c "%u %g %a" "$file")" = "0 0 400" ] && [ "$(sha256sum < "$file")" = "$digest_of_password_txt" ] || exit 1
done
) || failed="$failed; "'in tasks'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# in tasks
: "${digest_of_password_txt:?is what another host printed}"
: "${nodes_of_db:?is what another host printed}"
(
all=
pids=$(ids=$(docker ps --quiet --filter label=com.docker.swarm.service.name=db) && { [ -z "$ids" ] || docker inspect --format '{{.State.Pid}}' $ids; }) || exit 1
[ -n "$pids" ] || case " $(echo "$nodes_of_db" | tr '\n' ' ')" in "  "|*" host2 "*) exit 1;; esac
all="$all $pids"
for pid in $all; do
file=$(sh -c 'root=$1 rest=$2 at= links=0; shift 2
while [ "$rest" ]; do
  part=${rest%%/*}
  case $rest in */*) rest=${rest#*/};; *) rest=;; esac
  case $part in ""|.) continue;; ..) at=${at%/*}; continue;; esac
  at=$at/$part
  [ -L "$root$at" ] || continue
  [ $((links += 1)) -le 40 ] || { echo "too many symbolic links" >&2; exit 1; }
  link=$(readlink "$root$at" && echo .) || exit 1
  case $link in /*) at=;; *) at=${at%/*};; esac
  rest=${link%??}/$rest
done
exec "$@" "$root${at:-/}"
' sh /proc/$pid/root /run/secrets/password printf '%s\n') && [ -f "$file" ] && [ "$(stat -c "%u %g %a" "$file")" = "0 0 400" ] && [ "$(sha256sum < "$file")" = "$digest_of_password_txt" ] || exit 1
done
) || failed="$failed; "'in tasks'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }
