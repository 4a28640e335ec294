#!/usr/bin/env bash
# A real Prometheus, Debian's package, against the real binary: its metrics, the alert rules and the dashboard's queries.
#
#   tests/prometheus/run.sh
#
# EVENKEEL_BIN names the binary; left out, the debug build is made. `apt-get install --no-install-recommends prometheus`
# brings both programs; its service is not needed and not started here.
set -euo pipefail
cd "$(dirname "$0")/../.."

for program in prometheus promtool; do
    if ! command -v "$program" >/dev/null; then
        echo "$program is not there: apt-get install --no-install-recommends prometheus" >&2
        exit 1
    fi
done
if [ -z "${EVENKEEL_BIN:-}" ]; then
    cargo build --locked --bin evenkeel
    EVENKEEL_BIN=target/debug/evenkeel
fi
EVENKEEL_BIN=$(realpath "$EVENKEEL_BIN")
export EVENKEEL_BIN

promtool check rules conf/prometheus/evenkeel.rules.yaml
promtool test rules tests/prometheus/rules_test.yaml
# A proxy of the machine has no business between processes on it.
exec env -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY \
    python3 tests/prometheus/scrape.py
