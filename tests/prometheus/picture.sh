#!/usr/bin/env bash
# Draws docs/images/dashboard.png from some minutes of real traffic: see picture.py.
#
#   tests/prometheus/picture.sh [SECONDS]
#
# EVENKEEL_BIN names the binary; left out, the release build is made. The virtual environment is kept in target/.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -z "${EVENKEEL_BIN:-}" ]; then
    cargo build --locked --release --bin evenkeel
    EVENKEEL_BIN=target/release/evenkeel
fi
EVENKEEL_BIN=$(realpath "$EVENKEEL_BIN")
export EVENKEEL_BIN

venv=target/picture-venv
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check matplotlib==3.10.9
fi
exec env -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY \
    "$venv/bin/python" tests/prometheus/picture.py "$@"
