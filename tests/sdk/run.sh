#!/usr/bin/env bash
# The official openai SDK against the real binary.
#
#   tests/sdk/run.sh [PYTEST-ARGUMENT…]
#
# EVENKEEL_BIN names the binary; left out, the debug build is made. The virtual environment is kept in target/.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -z "${EVENKEEL_BIN:-}" ]; then
    cargo build --locked --bin evenkeel
    EVENKEEL_BIN=target/debug/evenkeel
fi
EVENKEEL_BIN=$(realpath "$EVENKEEL_BIN")
export EVENKEEL_BIN

venv=target/sdk-venv
stamp=$venv/requirements.txt
if ! cmp -s tests/sdk/requirements.txt "$stamp"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/sdk/requirements.txt
    cp tests/sdk/requirements.txt "$stamp"
fi
export PYTHONPATH=tests/python
# A proxy of the machine has no business between two processes on it.
exec env -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY \
    "$venv/bin/python" -m pytest -p no:cacheprovider -q tests/sdk "$@"
