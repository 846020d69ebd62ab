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

# volume share on host1
(
docker volume create --driver local --opt type=nfs --opt o=addr=192.168.98.1,rw --opt device=:/shares --label org.clusterlab.lab=sample --label org.clusterlab.play=files --label org.clusterlab.spec=c2c527a985c32bca share
) || failed="$failed; "'volume share on host1'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# volume share on host2
(
docker volume create --driver local --opt type=nfs --opt o=addr=192.168.98.1,rw --opt device=:/shares --label org.clusterlab.lab=sample --label org.clusterlab.play=files --label org.clusterlab.spec=c2c527a985c32bca share
) || failed="$failed; "'volume share on host2'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# volume own on host1
(
docker volume create --driver local --label org.clusterlab.lab=sample --label org.clusterlab.play=files --label org.clusterlab.spec=63e789c918828bcf own
) || failed="$failed; "'volume own on host1'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# volume own on host2
(
docker volume create --driver local --label org.clusterlab.lab=sample --label org.clusterlab.play=files --label org.clusterlab.spec=63e789c918828bcf own
) || failed="$failed; "'volume own on host2'

# volume unused on host2
(
docker volume create --driver local --label org.clusterlab.lab=sample --label org.clusterlab.play=files --label org.clusterlab.spec=63e789c918828bcf unused
) || failed="$failed; "'volume unused on host2'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# container one on host1
(
docker run --detach --name one --volume share:/data --volume own:/own --volume /srv:/srv:ro --network bridge --restart no --stop-timeout 1 --label org.clusterlab.lab=sample --label org.clusterlab.play=files --label org.clusterlab.spec=93133059b3fa4a70 clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
) || failed="$failed; "'container one on host1'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# container two on host2
(
docker run --detach --name two --volume share:/data --network bridge --restart no --stop-timeout 1 --label org.clusterlab.lab=sample --label org.clusterlab.play=files --label org.clusterlab.spec=966d7143da77e8dc clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
) || failed="$failed; "'container two on host2'

# container three on host2
(
docker run --detach --name three --volume /made --volumes-from two --network bridge --restart no --stop-timeout 1 --label org.clusterlab.lab=sample --label org.clusterlab.play=files --label org.clusterlab.spec=391102e00533b3b7 clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
) || failed="$failed; "'container three on host2'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# a command, with its exit code and what it writes
(
errors=$(mktemp) && { found=$(docker exec --user 80 one ls /nowhere 2> "$errors"); code=$?; said=$(cat "$errors"); rm "$errors"; case $code in 1|2) [ -z "$found" ] && found=$said && printf '%s\n' "$found" | grep -qF -- 'No such file' ;; *) false ;; esac; }
) || failed="$failed; "'a command, with its exit code and what it writes'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#gw
failed=

# a script on a host
(end=$(($(date +%s) + 10)); until
found=$( (
for number in 1 2; do
  echo "it's $number"
done
)) && printf '%s\n' "$found" | grep -qP -- '^it'"'"'s [0-9]$' && [ "$(printf %s "$found" | grep -c '')" -eq 2 ]
do [ "$(date +%s)" -lt "$end" ] || exit 1; sleep 1; done) || failed="$failed; "'a script on a host'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# a script on a host
(end=$(($(date +%s) + 10)); until
found=$( (
for number in 1 2; do
  echo "it's $number"
done
)) && printf '%s\n' "$found" | grep -qP -- '^it'"'"'s [0-9]$' && [ "$(printf %s "$found" | grep -c '')" -eq 2 ]
do [ "$(date +%s)" -lt "$end" ] || exit 1; sleep 1; done) || failed="$failed; "'a script on a host'

# a file, its owner and its content
(
docker exec one stat -L -c '%F|%a|%U|%u|%G|%g' /data/file | grep -qE '^regular (empty )?file\|640\|(80\|[^|]*|[^|]*\|80)\|(root\|[^|]*|[^|]*\|root)$' && found=$(docker exec one cat /data/file) && printf '%s\n' "$found" | grep -qF -- one
) || failed="$failed; "'a file, its owner and its content'

# the mount
(
found=$(docker exec one cat /proc/mounts | awk '$2 == "/data" { line = $0 } END { print line }') && [ -n "$found" ] && printf '%s\n' "$found" | grep -qE '^[^ ]+ [^ ]+ nfs4 ' && printf '%s\n' "$found" | grep -qE ' ([^ ]*,)?rw(,[^ ]*)? [0-9]+ [0-9]+$' && printf '%s\n' "$found" | grep -qE ' ([^ ]*,)?vers=4\.2(,[^ ]*)? [0-9]+ [0-9]+$' && ! printf '%s\n' "$found" | grep -qE ' ([^ ]*,)?ro(,[^ ]*)? [0-9]+ [0-9]+$' && found=${found%% *} && [ "$found" = :/shares ]
) || failed="$failed; "'the mount'

# all share one file
(
docker exec one sh -c 'printf "%s\n" "$2" > "$1"' sh /data/lines.manual.one one
) || failed="$failed; "'all share one file'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# all share one file
(
docker exec two sh -c 'printf "%s\n" "$2" > "$1"' sh /data/lines.manual.two two
) || failed="$failed; "'all share one file'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# all share one file
(
[ "$(docker exec one cat /data/lines.manual.two)" = two ]
) || failed="$failed; "'all share one file'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# all share one file
(
[ "$(docker exec two cat /data/lines.manual.one)" = one ]
) || failed="$failed; "'all share one file'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# all share one file
(
docker exec --detach one sh -c '[ -f "$1" ] && exec 8< "$1" && file=$(stat -c "%F %d %i" "$1") && [ "$file" = "$(stat -L -c "%F %d %i" /proc/self/fd/8)" ] || { echo "$1 is not a file" >&2; exit 1; }; n=1; while [ "$n" -le "$3" ]; do exec 9>> /proc/self/fd/8; until flock -n 9; do [ $? -eq 1 ] || exit 1; sleep 0.1 || sleep 1; done; printf "%s %s\n" "$2" "$n" >> /proc/self/fd/9 || exit 1; exec 9>&-; n=$((n+1)); done' sh /data/lines.manual.one one 3
) || failed="$failed; "'all share one file'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# all share one file
(
docker exec --detach two sh -c '[ -f "$1" ] && exec 8< "$1" && file=$(stat -c "%F %d %i" "$1") && [ "$file" = "$(stat -L -c "%F %d %i" /proc/self/fd/8)" ] || { echo "$1 is not a file" >&2; exit 1; }; n=1; while [ "$n" -le "$3" ]; do exec 9>> /proc/self/fd/8; until flock -n 9; do [ $? -eq 1 ] || exit 1; sleep 0.1 || sleep 1; done; printf "%s %s\n" "$2" "$n" >> /proc/self/fd/9 || exit 1; exec 9>&-; n=$((n+1)); done' sh /data/lines.manual.one two 3
) || failed="$failed; "'all share one file'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# all share one file
(end=$(($(date +%s) + 102)); until
[ "$(docker exec one cat /data/lines.manual.one | wc -l)" -eq 7 ] && [ "$(docker exec one cat /data/lines.manual.one | grep "^one ")" = "$(seq -f "one %.0f" 3)" ] && [ "$(docker exec one cat /data/lines.manual.one | grep "^two ")" = "$(seq -f "two %.0f" 3)" ]
do [ "$(date +%s)" -lt "$end" ] || exit 1; sleep 1; done) || failed="$failed; "'all share one file'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=

# all share one file
(end=$(($(date +%s) + 102)); until
[ "$(docker exec two cat /data/lines.manual.one | wc -l)" -eq 7 ] && [ "$(docker exec two cat /data/lines.manual.one | grep "^one ")" = "$(seq -f "one %.0f" 3)" ] && [ "$(docker exec two cat /data/lines.manual.one | grep "^two ")" = "$(seq -f "two %.0f" 3)" ]
do [ "$(date +%s)" -lt "$end" ] || exit 1; sleep 1; done) || failed="$failed; "'all share one file'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=

# all share one file
(
docker exec one rm -f /data/lines.manual.one /data/lines.manual.two
) || failed="$failed; "'all share one file'

# what is written is gone after a while
(
docker exec one sh -c 'echo $HOME > /own/note'
) || failed="$failed; "'what is written is gone after a while'
(
docker stop one && docker rm --volumes one && docker run --detach --name one --volume share:/data --volume own:/own --volume /srv:/srv:ro --network bridge --restart no --stop-timeout 1 --label org.clusterlab.lab=sample --label org.clusterlab.play=files --label org.clusterlab.spec=93133059b3fa4a70 clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
) || failed="$failed; "'what is written is gone after a while'
(
docker stop one
) || failed="$failed; "'what is written is gone after a while'
(
stat -L -c %F /srv | grep -qx directory && stat -L -c '%F|%a|%U|%u|%G|%g' /srv/note 2>&1 | grep -q 'No such file or directory'
) || failed="$failed; "'what is written is gone after a while'
(
docker start one
) || failed="$failed; "'what is written is gone after a while'
(
rm -f /srv/note
) || failed="$failed; "'what is written is gone after a while'

# a run ends as it must
(
found=$(docker run --rm --volume own:/data --network bridge clusterlab/sample/shell:pull-0e75c846f412c35d sh -c 'exit 3'); case $? in 3) [ -z "$found" ] ;; *) false ;; esac
) || failed="$failed; "'a run ends as it must'

# a run that is refused
(
if found=$(docker run --rm --volume share:/data --network bridge clusterlab/sample/shell:pull-0e75c846f412c35d true 2>&1 > /dev/null); then false; else printf '%s\n' "$found" | grep -qF -- 'no such file'; fi
) || failed="$failed; "'a run that is refused'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }
