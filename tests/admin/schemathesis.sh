#!/usr/bin/env bash
# The OpenAPI document that the real binary serves, against what it answers: schemathesis makes requests that the document
# allows and requests that it forbids, with all of its checks on. Twice: with any names, and with those of a pair that is
# there.
#
#   tests/admin/schemathesis.sh [EXAMPLES]
#
# EXAMPLES is how many requests are made for each operation and kind at most; 100 takes about half a minute. EVENKEEL_BIN
# names the binary; left out, the debug build is made, which stops at a refusal that the document does not tell of. The
# virtual environment is kept in target/.
set -euo pipefail
cd "$(dirname "$0")/../.."
examples=${1:-100}

if [ -z "${EVENKEEL_BIN:-}" ]; then
    cargo build --locked --bin evenkeel
    EVENKEEL_BIN=target/debug/evenkeel
fi

venv=$PWD/target/schemathesis-venv
stamp=$venv/requirements.txt
if ! cmp -s tests/admin/requirements.txt "$stamp"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/admin/requirements.txt
    cp tests/admin/requirements.txt "$stamp"
fi

directory=$(mktemp -d)
process=
finish() {
    [ -z "$process" ] || kill -INT "$process" 2>/dev/null || true
    wait
    rm -rf "$directory"
}
trap finish EXIT

token=schemathesis-$RANDOM$RANDOM$RANDOM
cat >"$directory/evenkeel.yaml" <<END
listeners: [{ address: '127.0.0.1:0' }]
admin: { address: '127.0.0.1:0', token: $token }
server: { grace_period_seconds: 0 }
state_dir: $directory/state
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    endpoints:
      production: [{ name: Primary, url: 'http://127.0.0.1:9/v1' }, { name: Second, url: 'http://127.0.0.1:9/v1' }]
      sandbox: [{ name: Primary, url: 'http://127.0.0.1:9/v1' }]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_weighted_round_robin
          production: [{ model: gpt-4o, weight: 3 }, { model: 'org/model:latest', endpoint: Second, weight: 1 }]
          sandbox: [{ model: gpt-4o, weight: 1 }]
          suspend_duration: 30s
END
"$EVENKEEL_BIN" run -c "$directory/evenkeel.yaml" >/dev/null 2>"$directory/log" &
process=$!
address=
for _ in $(seq 600); do
    address=$(sed -n 's|.*admin on http://||p' "$directory/log")
    [ -z "$address" ] || break
    kill -0 "$process" 2>/dev/null || break
    sleep 0.05
done
if [ -z "$address" ]; then
    cat "$directory/log" >&2
    exit 1
fi

# A proxy of the machine has no business between two processes on it. The seed makes a run one that can be repeated. What
# schemathesis remembers of failures, in the directory that it runs in, would make the next run another one.
run() {
    env -C "$directory" -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY \
        timeout 300 "$venv/bin/schemathesis" --config-file "$1" run "http://$address/api/v1/openapi.json" \
        --header "Authorization: Bearer $token" --checks all --max-examples "$examples" --seed 1 \
        --request-timeout 10 --warnings off --no-color "${@:2}"
}
: >"$directory/any.toml"
run "$directory/any.toml"
run "$PWD/tests/admin/pairs.toml" --include-path-regex /pairs/

if grep -q 'panicked' "$directory/log"; then
    grep -A3 'panicked' "$directory/log" >&2
    exit 1
fi
# Without what was to be reached the above would show little.
for line in 'audit: suspend AI API `SmartChat` `org/model:latest`' 'audit: reload' 'audit: create' 'audit: revoke'; do
    if ! grep -q "$line" "$directory/log"; then
        echo "nothing has caused \"$line\"" >&2
        exit 1
    fi
done
