#!/bin/sh
# Run tests against real hosts: tests.sh MARKS PYTEST [ARGUMENT...]. What fails is asked once more, as checks are, now one
# after the other: the first failure stays in the output, and what fails twice fails.
set -eu
marks=$1
shift
"$@" -m "$marks" && exit 0
echo "===== Asking once more what failed"
exec "$@" -m "$marks" --numprocesses 0 --last-failed --last-failed-no-failures none
