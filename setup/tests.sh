#!/bin/sh
# Run tests against real hosts: tests.sh PYTEST FOLDER MARKS. What fails is asked once more, as checks are: the first failure
# stays in the output, and what fails twice fails.
set -eu
"$1" "$2" -m "$3" && exit 0
echo "===== Asking once more what failed"
exec "$1" "$2" -m "$3" --last-failed --last-failed-no-failures none
