#!/bin/sh
# Run tests against real hosts: tests.sh MARKS PYTEST [ARGUMENT...]. What fails is asked once more, as checks are, now one
# after the other: the first failure stays in the output, and what fails twice fails.
set -eu
marks=$1
shift
failed=$(mktemp -d) # of this run alone: failures of other tests, or of another day, are not asked again
trap 'rm -rf "$failed"' EXIT
"$@" -m "$marks" -o cache_dir="$failed" && exit 0
echo "===== Asking once more what failed"
"$@" -m "$marks" -o cache_dir="$failed" --numprocesses 0 --last-failed --last-failed-no-failures none
