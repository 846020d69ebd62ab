#!/bin/sh
# Print the end of every log below a folder: show_logs.sh FOLDER
set -eu
[ -d "$1" ] || exit 0
find "$1" -type f -name '*.log' | sort | while read -r file; do
    echo "===== $file (its last 60 lines)"
    tail -n 60 "$file"
done
