#host1
failed=

# image shell on host1
(
docker pull example/shell:1 && docker tag example/shell:1 clusterlab/sample/shell:pull-0e75c846f412c35d
) || failed="$failed; "'image shell on host1'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# image shell on host2
(
docker pull example/shell:1 && docker tag example/shell:1 clusterlab/sample/shell:pull-0e75c846f412c35d
) || failed="$failed; "'image shell on host2'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# network wide of the Swarm
(
docker network create --driver overlay --attachable --label org.clusterlab.lab=sample --label org.clusterlab.play=networks --label org.clusterlab.spec=61f8e9ff5036f3c2 wide
) || failed="$failed; "'network wide of the Swarm'

# network near on host1
(
docker network create --driver bridge --label org.clusterlab.lab=sample --label org.clusterlab.play=networks --label org.clusterlab.spec=7c7ba4ab415ffd44 near
) || failed="$failed; "'network near on host1'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# network near on host2
(
docker network create --driver bridge --label org.clusterlab.lab=sample --label org.clusterlab.play=networks --label org.clusterlab.spec=7c7ba4ab415ffd44 near
) || failed="$failed; "'network near on host2'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# network other of the Swarm
(
docker network create --driver overlay --attachable --label org.clusterlab.lab=sample --label org.clusterlab.play=networks --label org.clusterlab.spec=61f8e9ff5036f3c2 other
) || failed="$failed; "'network other of the Swarm'

# container left on host1
(
docker run --detach --name left --network wide --restart no --stop-timeout 1 --label org.clusterlab.lab=sample --label org.clusterlab.play=networks --label org.clusterlab.spec=687214b7c0e42eae clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
) || failed="$failed; "'container left on host1'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# container right on host2
(
docker create --name right --expose 80 --expose 81 --publish 80/tcp --publish 127.0.0.1:8001:81/tcp --network near --restart no --stop-timeout 1 --label org.clusterlab.lab=sample --label org.clusterlab.play=networks --label org.clusterlab.spec=2408156bbb3fa257 clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity && docker network connect wide right && docker start right
) || failed="$failed; "'container right on host2'

# container alone on host2
(
docker run --detach --name alone --network other --restart no --stop-timeout 1 --label org.clusterlab.lab=sample --label org.clusterlab.play=networks --label org.clusterlab.spec=b14d15b308006ce3 clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
) || failed="$failed; "'container alone on host2'

# container plain on host2
(
docker run --detach --name plain --network none --restart no --stop-timeout 1 --label org.clusterlab.lab=sample --label org.clusterlab.play=networks --label org.clusterlab.spec=068dd80907c2afad clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
) || failed="$failed; "'container plain on host2'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# service hello of the Swarm
(
docker service create --name hello --no-resolve-image --replicas 2 --publish published=8090,target=80,protocol=tcp,mode=ingress --network name=wide --label org.clusterlab.lab=sample --label org.clusterlab.play=networks --label org.clusterlab.spec=60587c3f4193b128 --container-label org.clusterlab.lab=sample clusterlab/sample/shell:pull-0e75c846f412c35d
) || failed="$failed; "'service hello of the Swarm'

# the same network everywhere
Id_of_wide_on_host1=$(docker network inspect --format '{{json .Id}}' wide); echo "Id_of_wide_on_host1=$Id_of_wide_on_host1"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# the same network everywhere
: "${Id_of_wide_on_host1:?is what another host printed}"
(
[ "$Id_of_wide_on_host1" ] && [ "$Id_of_wide_on_host1" != null ] && [ "$(docker network inspect --format '{{json .Id}}' wide)" = "$Id_of_wide_on_host1" ]
) || failed="$failed; "'the same network everywhere'

# what engines report
(
[ "$(docker container inspect --format '{{len .NetworkSettings.Networks}}' right)" -eq 2 ] && found=$(docker container inspect --format '{{json .NetworkSettings.Networks}}' right) && printf '%s\n' "$found" | grep -qE '^".*near|"near"' && printf '%s\n' "$found" | grep -qE '^".*wide|"wide"'
) || failed="$failed; "'what engines report'
(
found=$(docker container inspect --format '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}' right) && [ "$found" -ge 32768 ] && [ "$found" -le 60999 ]
) || failed="$failed; "'what engines report'
(
found=$(docker container inspect --format '{{range .Mounts}}{{println .Name}}{{end}}' right) && [ "$found" = '' ]
) || failed="$failed; "'what engines report'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# what engines report
(
found=$(docker network inspect --format '{{json .Options}}' near) && [ "$found" = '{"a":"x","b":1}' ]
) || failed="$failed; "'what engines report'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# what engines report
(
found=$(docker network inspect --format '{{json .Options}}' near) && [ "$found" = '{"a":"x","b":1}' ]
) || failed="$failed; "'what engines report'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# what engines report
(
found=$(docker image inspect --format '{{.Config.User}}' clusterlab/sample/shell:pull-0e75c846f412c35d) && [ "$found" = '' ]
) || failed="$failed; "'what engines report'
(end=$(($(date +%s) + 30)); until
found=$(docker service ps --filter desired-state=running --format '{{.Node}} {{.CurrentState}}' hello | awk '$2 == "Running" { print $1 }' | sort) && [ "$found" = 'host1
host2' ]
do [ "$(date +%s)" -lt "$end" ] || exit 1; sleep 1; done) || failed="$failed; "'what engines report'
(
found=$(docker node inspect --format '{{.Spec.Availability}}' host2) && [ "$found" = active ]
) || failed="$failed; "'what engines report'
(
found=$(docker info --format '{{.Swarm.LocalNodeState}}') && [ "$found" = active ]
) || failed="$failed; "'what engines report'
(
found=$(docker volume ls --quiet | xargs docker volume inspect --format '{{.Name}}') && [ -n "$found" ] && ! printf '%s\n' "$found" | grep -qxF -- old
) || failed="$failed; "'what engines report'

# names
process_of_left=$(docker inspect --format '{{.State.Pid}}' left); echo "process_of_left=$process_of_left"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# names
right_on_wide=$(docker inspect --format '{{(index .NetworkSettings.Networks "wide").IPAddress}}' right); echo "right_on_wide=$right_on_wide"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# names
: "${process_of_left:?is what another host printed}"
: "${right_on_wide:?is what another host printed}"
(
found=$(nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" busybox nslookup right | awk '/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }' | sort -u); [ -n "$found" ] && [ "$found" = "$right_on_wide" ]
) || failed="$failed; "names
hello_on_wide=$(docker service inspect --format '{{range .Endpoint.VirtualIPs}}{{println .NetworkID .Addr}}{{end}}' hello | grep "^$(docker network inspect --format '{{.Id}}' wide) " | cut -d " " -f 2 | cut -d / -f 1); echo "hello_on_wide=$hello_on_wide"
(
found=$(nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" busybox nslookup hello | awk '/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }' | sort -u); [ -n "$found" ] && [ "$found" = "$hello_on_wide" ]
) || failed="$failed; "names
(
found=$(nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" busybox nslookup tasks.hello | awk '/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }' | sort -u); [ -n "$found" ] && [ "$(printf %s "$found" | grep -c '')" -eq 2 ]
) || failed="$failed; "names
(
busybox nslookup right 2>&1 | grep -qE 'can'"'"'t find .*: (NXDOMAIN|No answer)'
) || failed="$failed; "names
(
found=$(getent ahostsv4 localhost | awk '{ print $1 }' | sort -u); [ -n "$found" ]
) || failed="$failed; "names

# packets
process_of_left=$(docker inspect --format '{{.State.Pid}}' left); echo "process_of_left=$process_of_left"
(
nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" ping -c 2 -W 3 -M do -s 1422 right | grep -qE ' 2 (packets )?received'
) || failed="$failed; "packets

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# packets
right_on_wide=$(docker inspect --format '{{(index .NetworkSettings.Networks "wide").IPAddress}}' right); echo "right_on_wide=$right_on_wide"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#gw
failed=

# packets
LAN_of_gw=$(ip -o -4 address show to 192.168.98.1 | awk '{ print $2 }'); echo "LAN_of_gw=$LAN_of_gw"
: "${right_on_wide:?is what another host printed}"
(
said=$(ping -c 2 -W 10 -n -I "$LAN_of_gw" "$right_on_wide" 2>&1; echo "exit $?") && ! printf "%s\n" "$said" | grep -qE 'packets transmitted, [1-9][0-9]* (packets )?received|Failed binding local connection end|can'"'"'t bind to interface' && printf "%s\n" "$said" | grep -qiE '(connection refused|no route to host|host (is )?unreachable|network is unreachable|timed out( after [0-9]+ milliseconds)?)\.?$|[1-9][0-9]* packets transmitted, 0 (packets )?received'
) || failed="$failed; "packets

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# packets
: "${process_of_left:?is what another host printed}"
: "${right_on_wide:?is what another host printed}"
(
nsenter --net=/proc/"$process_of_left"/ns/net ping -c 2 -W 10 "$right_on_wide" | grep -qE ' 2 (packets )?received'
) || failed="$failed; "packets
(
nsenter --net=/proc/"$process_of_left"/ns/net ping -c 1 -W 10 192.168.98.12 | grep -qE ' 1 (packets )?received'
) || failed="$failed; "packets

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#gw
failed=

# certificates
(
openssl s_client -connect 192.168.98.12:443 -servername web.lab -no-CApath -CAfile /etc/lab-ca.pem -verify_return_error < /dev/null > /dev/null 2>&1 && openssl s_client -connect 192.168.98.12:443 -servername web.lab -no-CApath -CAfile /etc/lab-ca.pem < /dev/null 2> /dev/null | openssl x509 -noout -checkend 1209600 && openssl s_client -connect 192.168.98.12:443 -servername web.lab -no-CApath -CAfile /etc/lab-ca.pem < /dev/null 2> /dev/null | openssl x509 -noout -checkhost web.lab | grep -q 'does match certificate' && openssl s_client -connect 192.168.98.12:443 -servername web.lab -no-CApath -CAfile /etc/lab-ca.pem -min_protocol TLSv1 -cipher DEFAULT:@SECLEVEL=0 -max_protocol TLSv1.1 < /dev/null 2>&1 | grep -q 'Cipher is (NONE)'
) || failed="$failed; "certificates

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# certificates
process_of_left=$(docker inspect --format '{{.State.Pid}}' left); echo "process_of_left=$process_of_left"
right_seen_from_left=$(nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" busybox nslookup right | awk '/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }' | head -n 1); echo "right_seen_from_left=$right_seen_from_left"
(
nsenter --net=/proc/"$process_of_left"/ns/net openssl s_client -connect "$right_seen_from_left":8443 -servername right -verify_return_error < /dev/null > /dev/null 2>&1 && nsenter --net=/proc/"$process_of_left"/ns/net openssl s_client -connect "$right_seen_from_left":8443 -servername right < /dev/null 2> /dev/null | openssl x509 -noout -checkend 86400 && nsenter --net=/proc/"$process_of_left"/ns/net openssl s_client -connect "$right_seen_from_left":8443 -servername right < /dev/null 2> /dev/null | openssl x509 -noout -checkhost right | grep -q 'does match certificate'
) || failed="$failed; "certificates

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# all pairs
right_on_wide=$(docker inspect --format '{{(index .NetworkSettings.Networks "wide").IPAddress}}' right); echo "right_on_wide=$right_on_wide"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# all pairs
: "${right_on_wide:?is what another host printed}"
(
docker exec left nslookup right | tail -n 1 | grep -qwF "$right_on_wide"
) || failed="$failed; "'all pairs'
left_on_wide=$(docker inspect --format '{{(index .NetworkSettings.Networks "wide").IPAddress}}' left); echo "left_on_wide=$left_on_wide"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# all pairs
: "${left_on_wide:?is what another host printed}"
(
docker exec right nslookup left | tail -n 1 | grep -qwF "$left_on_wide"
) || failed="$failed; "'all pairs'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# all pairs
process_of_left=$(docker inspect --format '{{.State.Pid}}' left); echo "process_of_left=$process_of_left"
: "${right_on_wide:?is what another host printed}"
(
nsenter --net=/proc/"$process_of_left"/ns/net ping -c 2 -W 3 -q "$right_on_wide"
) || failed="$failed; "'all pairs'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# all pairs
process_of_right=$(docker inspect --format '{{.State.Pid}}' right); echo "process_of_right=$process_of_right"
: "${left_on_wide:?is what another host printed}"
(
nsenter --net=/proc/"$process_of_right"/ns/net ping -c 2 -W 3 -q "$left_on_wide"
) || failed="$failed; "'all pairs'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# all pairs
: "${right_on_wide:?is what another host printed}"
MTU_of_left_on_host1=$(docker exec left sh -c 'cat "/sys/class/net/$(ip -o route get "$1" | sed -n "s/.* dev \([^ ]*\).*/\1/p")/mtu"' sh "$right_on_wide"); echo "MTU_of_left_on_host1=$MTU_of_left_on_host1"
(
docker exec left traceroute -F -n -q 2 -m 1 -w 3 "$right_on_wide" "$MTU_of_left_on_host1" | tail -n 1 | grep -v '![A-Z<]' | grep -qwF "$right_on_wide"
) || failed="$failed; "'all pairs'
(
docker exec left traceroute -n -q 2 -m 1 -w 3 "$right_on_wide" | tail -n 1 | grep -v '![A-Z<]' | grep -qwF "$right_on_wide"
) || failed="$failed; "'all pairs'
: "${process_of_left:?is what another host printed}"
(
nsenter --net=/proc/"$process_of_left"/ns/net timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$right_on_wide" 80
) || failed="$failed; "'all pairs'
(
docker exec left wget -q -T 3 -O /dev/null http://"$right_on_wide":80/data
) || failed="$failed; "'all pairs'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#gw
failed=

# all pairs
(
timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash 192.168.98.11 7946
) || failed="$failed; "'all pairs'
(
timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash 192.168.98.12 7946
) || failed="$failed; "'all pairs'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# all pairs
(
timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash 192.168.98.12 7946
) || failed="$failed; "'all pairs'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# all pairs
id_of_right=$(docker ps --quiet --filter name=^/right$); echo "id_of_right=$id_of_right"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#gw
failed=

# all pairs
: "${id_of_right:?is what another host printed}"
(
name=$(timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit; echo open:
printf "GET /cgi-bin/name HTTP/1.0\r\n\r\n" >&3
while IFS= read -r -n 200 line || [ "$line" ]; do last=$line; done <&3; echo "${last//[^[:alnum:] .-]/}"' bash 192.168.98.12 8090 | tail -n 1) && printf '%s\n' "$id_of_right" | grep -qxF "${name:-nobody}"
) || failed="$failed; "'all pairs'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# all pairs
(
docker run --rm --detach --name clusterlab-new-0 --network wide clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
) || failed="$failed; "'all pairs'
clusterlab_new_0_on_wide=$(docker inspect --format '{{(index .NetworkSettings.Networks "wide").IPAddress}}' clusterlab-new-0); echo "clusterlab_new_0_on_wide=$clusterlab_new_0_on_wide"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# all pairs
: "${clusterlab_new_0_on_wide:?is what another host printed}"
(end=$(($(date +%s) + 4)); until
docker exec right nslookup clusterlab-new-0 | awk '/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }' | grep -qxF "$clusterlab_new_0_on_wide"
do [ "$(date +%s)" -lt "$end" ] || exit 1; sleep 1; done) || failed="$failed; "'all pairs'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# all pairs
(
docker rm --force clusterlab-new-0
) || failed="$failed; "'all pairs'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# all pairs
(
docker run --rm --detach --name clusterlab-new-1 --network wide clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
) || failed="$failed; "'all pairs'
clusterlab_new_1_on_wide=$(docker inspect --format '{{(index .NetworkSettings.Networks "wide").IPAddress}}' clusterlab-new-1); echo "clusterlab_new_1_on_wide=$clusterlab_new_1_on_wide"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# all pairs
: "${clusterlab_new_1_on_wide:?is what another host printed}"
(end=$(($(date +%s) + 4)); until
docker exec left nslookup clusterlab-new-1 | awk '/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }' | grep -qxF "$clusterlab_new_1_on_wide"
do [ "$(date +%s)" -lt "$end" ] || exit 1; sleep 1; done) || failed="$failed; "'all pairs'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# all pairs
(
docker rm --force clusterlab-new-1
) || failed="$failed; "'all pairs'

# ports and pages
port_80_of_right=$(docker port right 80/tcp | head -n 1 | sed 's/.*://'); echo "port_80_of_right=$port_80_of_right"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# ports and pages
: "${port_80_of_right:?is what another host printed}"
(
timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash 192.168.98.12 "$port_80_of_right"
) || failed="$failed; "'ports and pages'
process_of_left=$(docker inspect --format '{{.State.Pid}}' left); echo "process_of_left=$process_of_left"
(
nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" busybox nslookup right 2>&1 | grep -qE '^Name:|can'"'"'t find .*: (NXDOMAIN|No answer|SERVFAIL|REFUSED)' && said=$(nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash right 81 2>&1; echo "exit $?") && ! printf "%s\n" "$said" | grep -qE '^\* (Connected|Established (2nd )?connection) to |^exit 0$|Failed binding local connection end|can'"'"'t bind to interface' && printf "%s\n" "$said" | grep -qiE '(bad address '"'"'.*'"'"'|could not resolve host: .*|unable to resolve host address .*|name or service not known|temporary failure in name resolution|no address associated with (host)?name|connection refused|no route to host|host (is )?unreachable|network is unreachable|timed out( after [0-9]+ milliseconds)?)\.?$|^exit (66|124)$'
) || failed="$failed; "'ports and pages'
(
nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash right 80
) || failed="$failed; "'ports and pages'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# ports and pages
right_on_near=$(docker inspect --format '{{(index .NetworkSettings.Networks "near").IPAddress}}' right); echo "right_on_near=$right_on_near"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#gw
failed=

# ports and pages
LAN_of_gw=$(ip -o -4 address show to 192.168.98.1 | awk '{ print $2 }'); echo "LAN_of_gw=$LAN_of_gw"
: "${right_on_near:?is what another host printed}"
(
[ "$LAN_of_gw" ] && said=$(curl -sS -v --noproxy '*' --interface "$LAN_of_gw" --max-time 5 telnet://"$right_on_near":81 < /dev/null 2>&1; echo "exit $?") && ! printf "%s\n" "$said" | grep -qE '^\* (Connected|Established (2nd )?connection) to |^exit 0$|Failed binding local connection end|can'"'"'t bind to interface' && printf "%s\n" "$said" | grep -qiE '(connection refused|no route to host|host (is )?unreachable|network is unreachable|timed out( after [0-9]+ milliseconds)?)\.?$|^exit (66|124)$'
) || failed="$failed; "'ports and pages'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# ports and pages
: "${right_on_near:?is what another host printed}"
(
said=$(timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$right_on_near" 81 2>&1; echo "exit $?") && ! printf "%s\n" "$said" | grep -qE '^\* (Connected|Established (2nd )?connection) to |^exit 0$|Failed binding local connection end|can'"'"'t bind to interface' && printf "%s\n" "$said" | grep -qiE '(connection refused|no route to host|host (is )?unreachable|network is unreachable|timed out( after [0-9]+ milliseconds)?)\.?$|^exit (66|124)$'
) || failed="$failed; "'ports and pages'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# ports and pages
: "${process_of_left:?is what another host printed}"
: "${right_on_near:?is what another host printed}"
(
nsenter --net=/proc/"$process_of_left"/ns/net timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$right_on_near" 81
) || failed="$failed; "'ports and pages'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#gw
failed=

# ports and pages
way_of_gw_to_10_9_8_7=$({ ip -o route get 10.9.8.7 | grep -v ' via ' | sed -nE 's/.* dev (lo|docker0|docker_gwbridge|br-[0-9a-f]{12}) .*/\1/p'; ip -o -4 address show to 192.168.98.1 | awk '{ print $2 }'; } | head -n 1); echo "way_of_gw_to_10_9_8_7=$way_of_gw_to_10_9_8_7"
(
[ "$way_of_gw_to_10_9_8_7" ] && said=$(curl -sS -v --noproxy '*' --interface "$way_of_gw_to_10_9_8_7" --max-time 5 telnet://10.9.8.7:81 < /dev/null 2>&1; echo "exit $?") && ! printf "%s\n" "$said" | grep -qE '^\* (Connected|Established (2nd )?connection) to |^exit 0$|Failed binding local connection end|can'"'"'t bind to interface' && printf "%s\n" "$said" | grep -qiE '(connection refused|no route to host|host (is )?unreachable|network is unreachable|timed out( after [0-9]+ milliseconds)?)\.?$|^exit (66|124)$'
) || failed="$failed; "'ports and pages'
(
timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash 192.168.98.11 81
) || failed="$failed; "'ports and pages'
(
curl -sS -v --noproxy '*' --max-time 10 http://192.168.98.12:8090/ 2>&1 > /dev/null | grep -qE '^(< | +)HTTP/[0-9.]+ 404'
) || failed="$failed; "'ports and pages'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# ports and pages
: "${process_of_left:?is what another host printed}"
(
nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" curl -sS -v --noproxy '*' --max-time 10 http://right/ 2>&1 > /dev/null | grep -qE '^(< | +)HTTP/[0-9.]+ 200' && found=$(nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" curl -sS -v --noproxy '*' --max-time 10 http://right/ 2> /dev/null) && printf '%s\n' "$found" | grep -qF -- hello
) || failed="$failed; "'ports and pages'
(
said=$(curl -sS -v --noproxy '*' --max-time 10 http://192.168.98.12:8001/ 2>&1; echo "exit $?") && ! printf "%s\n" "$said" | grep -qE '^(< | +)HTTP/[0-9.]+ |^\* (Connected|Established (2nd )?connection) to |^\* ALPN: |\.\.\. connected\.$|^exit 0$|Failed binding local connection end|can'"'"'t bind to interface' && printf "%s\n" "$said" | grep -qiE '(connection refused|no route to host|host (is )?unreachable|network is unreachable|timed out( after [0-9]+ milliseconds)?)\.?$'
) || failed="$failed; "'ports and pages'
(
curl -sS -v --noproxy '*' --max-time 10 http://192.168.98.12:8090/ 2>&1 > /dev/null | grep -qE '^(< | +)HTTP/[0-9.]+ 200'
) || failed="$failed; "'ports and pages'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#gw
failed=

# ports and pages
: "${way_of_gw_to_10_9_8_7:?is what another host printed}"
(
[ "$way_of_gw_to_10_9_8_7" ] && said=$(curl -sS -v --noproxy '*' --interface "$way_of_gw_to_10_9_8_7" --max-time 10 http://10.9.8.7:8001/ 2>&1; echo "exit $?") && ! printf "%s\n" "$said" | grep -qE '^(< | +)HTTP/[0-9.]+ |^\* (Connected|Established (2nd )?connection) to |^\* ALPN: |\.\.\. connected\.$|^exit 0$|Failed binding local connection end|can'"'"'t bind to interface' && printf "%s\n" "$said" | grep -qiE '(connection refused|no route to host|host (is )?unreachable|network is unreachable|timed out( after [0-9]+ milliseconds)?)\.?$'
) || failed="$failed; "'ports and pages'
(
curl -sS -v --noproxy '*' --max-time 10 http://192.168.98.12:8090/ 2>&1 > /dev/null | grep -qE '^(< | +)HTTP/[0-9.]+ 200'
) || failed="$failed; "'ports and pages'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# what another network of the Swarm keeps apart
alone_on_other=$(docker inspect --format '{{(index .NetworkSettings.Networks "other").IPAddress}}' alone); echo "alone_on_other=$alone_on_other"

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# what another network of the Swarm keeps apart
process_of_left=$(docker inspect --format '{{.State.Pid}}' left); echo "process_of_left=$process_of_left"
: "${alone_on_other:?is what another host printed}"
(
cards=$(awk 'FNR == 1 { next }
NR == FNR {
  if ($1 ~ /^docker(0|_gwbridge)$/ || ($1 ~ /^br-[0-9a-f]+$/ && length($1) == 15)) bridge[$2, $8]
  next
}
{ all[$1] } ($2, $8) in bridge { out[$1] }
END { for (one in all) if (!(one in out)) print one }' /proc/net/route /proc/"$process_of_left"/net/route); [ "$cards" ] || exit 1
for card in $cards; do { said=$(nsenter --net=/proc/"$process_of_left"/ns/net ping -c 2 -W 10 -n -I "$card" "$alone_on_other" 2>&1; echo "exit $?") && ! printf "%s\n" "$said" | grep -qE 'packets transmitted, [1-9][0-9]* (packets )?received|Failed binding local connection end|can'"'"'t bind to interface' && printf "%s\n" "$said" | grep -qiE '(connection refused|no route to host|host (is )?unreachable|network is unreachable|timed out( after [0-9]+ milliseconds)?)\.?$|[1-9][0-9]* packets transmitted, 0 (packets )?received'; } || exit 1; done; exit 0
) || failed="$failed; "'what another network of the Swarm keeps apart'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# what another network of the Swarm keeps apart
process_of_alone=$(docker inspect --format '{{.State.Pid}}' alone); echo "process_of_alone=$process_of_alone"
: "${alone_on_other:?is what another host printed}"
(
nsenter --net=/proc/"$process_of_alone"/ns/net ping -c 2 -W 10 "$alone_on_other" | grep -qE ' 2 (packets )?received'
) || failed="$failed; "'what another network of the Swarm keeps apart'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# what another network of the Swarm keeps apart
: "${alone_on_other:?is what another host printed}"
: "${process_of_left:?is what another host printed}"
(
cards=$(awk 'FNR == 1 { next }
NR == FNR {
  if ($1 ~ /^docker(0|_gwbridge)$/ || ($1 ~ /^br-[0-9a-f]+$/ && length($1) == 15)) bridge[$2, $8]
  next
}
{ all[$1] } ($2, $8) in bridge { out[$1] }
END { for (one in all) if (!(one in out)) print one }' /proc/net/route /proc/"$process_of_left"/net/route); [ "$cards" ] || exit 1
for card in $cards; do { said=$(nsenter --net=/proc/"$process_of_left"/ns/net curl -sS -v --noproxy '*' --interface "$card" --max-time 5 telnet://"$alone_on_other":81 < /dev/null 2>&1; echo "exit $?") && ! printf "%s\n" "$said" | grep -qE '^\* (Connected|Established (2nd )?connection) to |^exit 0$|Failed binding local connection end|can'"'"'t bind to interface' && printf "%s\n" "$said" | grep -qiE '(connection refused|no route to host|host (is )?unreachable|network is unreachable|timed out( after [0-9]+ milliseconds)?)\.?$|^exit (66|124)$'; } || exit 1; done; exit 0
) || failed="$failed; "'what another network of the Swarm keeps apart'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# what another network of the Swarm keeps apart
: "${alone_on_other:?is what another host printed}"
: "${process_of_alone:?is what another host printed}"
(
nsenter --net=/proc/"$process_of_alone"/ns/net timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$alone_on_other" 81
) || failed="$failed; "'what another network of the Swarm keeps apart'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# what another network of the Swarm keeps apart
: "${alone_on_other:?is what another host printed}"
: "${process_of_left:?is what another host printed}"
(
cards=$(awk 'FNR == 1 { next }
NR == FNR {
  if ($1 ~ /^docker(0|_gwbridge)$/ || ($1 ~ /^br-[0-9a-f]+$/ && length($1) == 15)) bridge[$2, $8]
  next
}
{ all[$1] } ($2, $8) in bridge { out[$1] }
END { for (one in all) if (!(one in out)) print one }' /proc/net/route /proc/"$process_of_left"/net/route); [ "$cards" ] || exit 1
for card in $cards; do { nsenter --net=/proc/"$process_of_left"/ns/net ping -c 2 -W 10 -n -I "$card" "$alone_on_other" | grep -qE ' 2 (packets )?received'; } && exit 0; done; exit 1
) || failed="$failed; "'what another network of the Swarm keeps apart'

# a name that stays
process_of_left=$(docker inspect --format '{{.State.Pid}}' left); echo "process_of_left=$process_of_left"
(end=$(($(date +%s) + 5)); until
found=$(nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" busybox nslookup right | awk '/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }' | sort -u); [ -n "$found" ]
do [ "$(date +%s)" -lt "$end" ] || exit 1; sleep 1; done) && (end=$(($(date +%s) + 2)); while
found=$(nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" busybox nslookup right | awk '/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }' | sort -u); [ -n "$found" ]
do [ "$(date +%s)" -lt "$end" ] || exit 0; sleep 1; done; exit 1) || failed="$failed; "'a name that stays'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# the pair
MAC_of_right_on_near=$(docker inspect --format '{{(index .NetworkSettings.Networks "near").MacAddress}}' right); echo "MAC_of_right_on_near=$MAC_of_right_on_near"
other_end_of_right=$(docker exec right sh -c 'cat "$(dirname "$(grep -l "$1" /sys/class/net/*/address)")/iflink"' sh "$MAC_of_right_on_near"); echo "other_end_of_right=$other_end_of_right"
(
ip -o link show master br-$(docker network inspect --format '{{slice .Id 0 12}}' near) type veth | grep -q ^"$other_end_of_right":
) || failed="$failed; "'the pair'

# after each action everything is restored
(
docker network disconnect near right
) || failed="$failed; "'after each action everything is restored'
(
docker network connect near plain
) || failed="$failed; "'after each action everything is restored'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# after each action everything is restored
(
docker kill left && docker wait left
) || failed="$failed; "'after each action everything is restored'
(
docker start left
) || failed="$failed; "'after each action everything is restored'
tasks_of_hello_before=$(docker service ps --quiet --filter desired-state=running hello | sort); echo "tasks_of_hello_before=$tasks_of_hello_before"
(
docker ps --quiet --filter label=com.docker.swarm.service.name=hello --filter 'name=^hello\.1\.' | xargs --no-run-if-empty docker kill
) || failed="$failed; "'after each action everything is restored'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# after each action everything is restored
(
docker ps --quiet --filter label=com.docker.swarm.service.name=hello --filter 'name=^hello\.1\.' | xargs --no-run-if-empty docker kill
) || failed="$failed; "'after each action everything is restored'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# after each action everything is restored
: "${tasks_of_hello_before:?is what another host printed}"
(end=$(($(date +%s) + 60)); until
now=$(docker service ps --quiet --filter desired-state=running hello | sort) && [ "$now" ] && [ "$now" != "$tasks_of_hello_before" ]
do [ "$(date +%s)" -lt "$end" ] || exit 1; sleep 1; done) || failed="$failed; "'after each action everything is restored'
(
docker service scale --detach hello=4
) || failed="$failed; "'after each action everything is restored'
(
docker node update --availability drain host2
) || failed="$failed; "'after each action everything is restored'
process_of_left=$(docker inspect --format '{{.State.Pid}}' left); echo "process_of_left=$process_of_left"
(
nsenter --net=/proc/"$process_of_left"/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp /proc/$0/root/etc/resolv.conf /proc/$0/root/etc/hosts /mnt && for f in resolv.conf hosts; do mount --bind /mnt/$f /etc/$f || exit; done; exec "$@"' "$process_of_left" ping -c 2 -W 10 hello | grep -qE ' 2 (packets )?received'
) || failed="$failed; "'after each action everything is restored'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# after each action everything is restored
(
docker network connect near right
) || failed="$failed; "'after each action everything is restored'
(
docker network disconnect near plain
) || failed="$failed; "'after each action everything is restored'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# after each action everything is restored
(
docker node update --availability active host2
) || failed="$failed; "'after each action everything is restored'
(
docker service scale hello=2
) || failed="$failed; "'after each action everything is restored'
(
docker service update --force hello
) || failed="$failed; "'after each action everything is restored'

# a registry
(
code=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 60 --unix-socket /var/run/docker.sock http://localhost/distribution/registry.example.org/shop/web:1/json); [ $code = 200 ] || [ $code = 401 ] || [ $code = 403 ]
) || failed="$failed; "'a registry'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# a registry
(
code=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 60 --unix-socket /var/run/docker.sock http://localhost/distribution/registry.example.org/shop/web:1/json); [ $code = 200 ] || [ $code = 401 ] || [ $code = 403 ]
) || failed="$failed; "'a registry'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }
