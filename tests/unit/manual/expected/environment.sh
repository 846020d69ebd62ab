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
: "${DB_PASSWORD?is the value of DB_PASSWORD in containers.db.environment of the play environment}"
: "${MODE?is the value of MODE in containers.db.environment of the play environment}"
: "${MODE_2?is the value of MODE in containers.app.environment of the play environment}"
: "${DB_PASSWORD?is the value of DB_PASSWORD in containers.app.environment of the play environment}"
: "${DB_PASSWORD_2?is the value of DB_PASSWORD in services.worker.environment of the play environment}"
: "${ALLOW_EMPTY?is the value of ALLOW_EMPTY in services.worker.environment of the play environment}"

# container db on host1
(export DB_PASSWORD="$DB_PASSWORD"; export MODE="$MODE"; (
docker run --detach --name db --env DB_PASSWORD --env MODE --network bridge --restart no --stop-timeout 1 --label org.clusterlab.lab=sample --label org.clusterlab.play=environment --label org.clusterlab.spec=f95e458df9cacbad clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
)) || failed="$failed; "'container db on host1'

# container app on host1
(export MODE="$MODE_2"; export DB_PASSWORD="$DB_PASSWORD"; (
docker run --detach --name app --env MODE --env DB_PASSWORD --network bridge --restart no --stop-timeout 1 --label org.clusterlab.lab=sample --label org.clusterlab.play=environment --label org.clusterlab.spec=17b36916c93e754d clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
)) || failed="$failed; "'container app on host1'

# service worker of the Swarm
(export DB_PASSWORD="$DB_PASSWORD_2"; export ALLOW_EMPTY="$ALLOW_EMPTY"; (
docker service create --name worker --no-resolve-image --replicas 1 --env DB_PASSWORD --env ALLOW_EMPTY --label org.clusterlab.lab=sample --label org.clusterlab.play=environment --label org.clusterlab.spec=9e071b91176ab7fe --container-label org.clusterlab.lab=sample clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
)) || failed="$failed; "'service worker of the Swarm'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host2
failed=
: "${GREETING?is the value of GREETING in run.environment of a check of the play environment}"

# a run takes its variables from the shell
(export GREETING="$GREETING"; (
found=$(docker run --rm --env GREETING --network bridge clusterlab/sample/shell:pull-0e75c846f412c35d env) && printf '%s\n' "$found" | grep -qF -- GREETING
)) || failed="$failed; "'a run takes its variables from the shell'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }

#host1
failed=
: "${DB_PASSWORD?is the value of DB_PASSWORD in containers.db.environment of the play environment}"
: "${MODE?is the value of MODE in containers.db.environment of the play environment}"

# so does what is recreated
(export DB_PASSWORD="$DB_PASSWORD"; export MODE="$MODE"; (
docker stop db && docker rm --volumes db && docker run --detach --name db --env DB_PASSWORD --env MODE --network bridge --restart no --stop-timeout 1 --label org.clusterlab.lab=sample --label org.clusterlab.play=environment --label org.clusterlab.spec=f95e458df9cacbad clusterlab/sample/shell:pull-0e75c846f412c35d sleep infinity
)) || failed="$failed; "'so does what is recreated'
(
docker exec db sh -c 'test -n "$DB_PASSWORD"'
) || failed="$failed; "'so does what is recreated'

[ -z "$failed" ] || { echo "does not hold$failed" >&2; false; }
