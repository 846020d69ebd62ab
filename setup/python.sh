#!/bin/sh
# Make the virtual environment and install clusterlab in it: python.sh VENV WHAT
set -eu
venv=$1
what=$2
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "clusterlab: needs Python 3.11 or newer, and $python is $("$python" -V); name another: make PYTHON=python3.12" >&2
    exit 3
}
# An interrupted one is recreated.
[ -x "$venv/bin/pip" ] && "$venv/bin/pip" --version >/dev/null 2>&1 || "$python" -m venv --clear "$venv"
echo "Installing clusterlab in $venv"
"$venv/bin/pip" install --quiet --editable "$what"
