#!/usr/bin/env bash
# Upgrades and reloads under the load of wrk, h2load and curl, as a table of what each tool counted.
#
#   tests/upgrades/run.sh [UPGRADES] [RELOADS]      20 and 200 if left out
#
# Needs wrk, h2load (Debian: nghttp2-client), curl, openssl and python3. EVENKEEL_BIN names the binary; by default it is built for release. Exit code 0 if
# no tool counted an error.
#
# h2load makes no new connection when a GOAWAY ends one: it is run anew each second. It counts the requests as failed that
# the GOAWAY found unsent, or says were not looked at; any client may send those again, and tests/endurance/load.rs, which
# does and takes nothing else, counts none lost. They are shown, and during reloads they are errors. curl goes on over TLS, a new
# connection when it is told to; curl 7.88 cannot use a connection of HTTP/2 in the clear for a second request.
set -euo pipefail
cd "$(dirname "$0")/../.."

upgrades=${1:-20}
reloads=${2:-200}
streams=50
for tool in wrk h2load curl openssl python3; do
    command -v "$tool" >/dev/null || { echo "$tool is not there" >&2; exit 1; }
done
if [ -z "${EVENKEEL_BIN:-}" ]; then
    cargo build --release --quiet
    EVENKEEL_BIN=target/release/evenkeel
fi
bin=$(realpath "$EVENKEEL_BIN")
work=$(mktemp -d)
mkdir "$work/streams"

gateway= vendor= failed=0
end() {
    touch "$work/done"
    for pid in "$gateway" "$vendor" $(jobs -p); do
        kill "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap end EXIT

# Waits until a file has a line with this text; prints what follows it there.
after() {
    for _ in $(seq 1000); do
        if grep -q -- "$2" "$1" 2>/dev/null; then
            sed -n "s|.*$2||p" "$1" | tail -1
            return
        fi
        sleep 0.01
    done
    echo "no '$2' in $1:" >&2
    cat "$1" >&2
    return 1
}

"$bin" mock-vendor --listen 127.0.0.1:0 --stream-chunks 100 --chunk-interval 50ms 2>"$work/vendor.log" &
vendor=$!
url=$(after "$work/vendor.log" 'mock vendor is at ')

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.2 -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null

write_file() {
    cat >"$work/new.yaml" <<END
listeners:
  - address: 127.0.0.1:0
  - { address: '127.0.0.2:0', tls: { certificate: $work/cert.pem, key: $work/key.pem } }
admin: { address: '127.0.0.3:0' }
state_dir: $work/state
server: { threads: 2 }
access_log: { format: off }
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production: [{ name: Primary, url: '$url' }]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_weighted_round_robin
          production: [{ model: gpt-4o, weight: $1 }, { model: gpt-4o-mini, weight: $2 }]
          suspend_duration: 1
END
    mv "$work/new.yaml" "$work/evenkeel.yaml"
}
write_file 2 1

export EVENKEEL_LOG=evenkeel=info,warn
"$bin" run -c "$work/evenkeel.yaml" >/dev/null 2>"$work/log" &
gateway=$!
plain=$(after "$work/log" 'listening on http://')
secure=$(after "$work/log" 'listening on https://')
path=/smartchat/chat/completions

cat >"$work/post.lua" <<'END'
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"any","messages":[{"role":"user","content":"Hello"}]}'
END
echo -n '{"model":"any","messages":[{"role":"user","content":"Hello"}]}' >"$work/body"

# One client of streams: a stream is good if it is whole, with its 100 pieces of content and its end.
stream() {
    local number=0 scheme version address
    while [ ! -e "$work/done" ]; do
        number=$((number + 1))
        case $((($1 + number) % 4)) in
            0) scheme=http version=--http1.1 address=$plain ;;
            1) scheme=https version=--http1.1 address=$secure ;;
            2) scheme=http version=--http2-prior-knowledge address=$plain ;;
            3) scheme=https version=--http2 address=$secure ;;
        esac
        local code=0
        curl -sS --no-buffer "$version" --cacert "$work/cert.pem" -H 'Content-Type: application/json' \
            -d '{"model":"any","stream":true,"messages":[]}' -w '\n%{http_code}\n' "$scheme://$address$path" \
            >"$work/streams/$1.body" 2>"$work/streams/$1.err" || code=$?
        if [ "$code" = 0 ] && [ "$(tail -1 "$work/streams/$1.body")" = 200 ] \
            && [ "$(grep -c '"content":"' "$work/streams/$1.body")" -ge 100 ] \
            && grep -q '^data: \[DONE\]' "$work/streams/$1.body"; then
            echo good >>"$work/streams/$1"
        else
            echo "broken: curl $version $scheme: exit code $code: $(cat "$work/streams/$1.err")" >>"$work/streams/$1"
        fi
    done
}

# One request after another over HTTP/2; a line each.
many() {
    exec curl -sS --http2 --cacert "$work/cert.pem" -H 'Content-Type: application/json' -d "@$work/body" \
        -o /dev/null -w '%{http_code} %{http_version} %{exitcode} %{errormsg}\n' "$1?[1-100000000]"
}

# h2load for a second, again and again.
seconds() {
    while [ ! -e "$work/done" ]; do
        h2load -t1 -c2 -m8 -D 1 -H 'Content-Type: application/json' -d "$work/body" "$1" || echo "requests: failed"
    done
}

# Runs the tools while `change` does its work; then prints what they counted.
under_load() {
    local title=$1
    shift
    rm -f "$work/done" "$work"/streams/* "$work"/*.out
    for number in $(seq "$streams"); do
        stream "$number" &
    done
    local clients=$(jobs -p | grep -v -x -e "$gateway" -e "$vendor")
    # Long enough for whatever comes; they are ended when it is over.
    wrk -t1 -c8 -d600 --timeout 30s -s "$work/post.lua" "http://$plain$path" >"$work/wrk.out" 2>&1 &
    local wrk_plain=$!
    wrk -t1 -c8 -d600 --timeout 30s -s "$work/post.lua" "https://$secure$path" >"$work/wrk-tls.out" 2>&1 &
    local wrk_tls=$!
    local h2=()
    for number in $(seq 4); do
        many "https://$secure$path" >"$work/h2-curl.$number.out" 2>&1 &
        h2+=($!)
    done
    seconds "http://$plain$path" >"$work/h2.out" 2>&1 &
    local h2_plain=$!
    seconds "https://$secure$path" >"$work/h2-tls.out" 2>&1 &
    local h2_tls=$!
    sleep 1
    local start=$SECONDS
    "$@"
    local took=$((SECONDS - start))
    # The tools go on a little, on the process that serves now.
    sleep 1
    kill -INT "$wrk_plain" "$wrk_tls"
    kill "${h2[@]}"
    touch "$work/done"
    wait "$wrk_plain" "$wrk_tls" "${h2[@]}" "$h2_plain" "$h2_tls" $clients || true
    report "$title, $took s" || failed=1
}

report() {
    echo
    echo "== $1"
    printf '%-28s %10s %10s\n' client requests errors
    python3 - "$work" "$1" <<'END'
import glob, re, sys
work, title = sys.argv[1:]
bad = 0
def row(name, requests, errors, detail=""):
    global bad
    bad += errors + (requests == 0)
    print(f"{name:<28} {requests:>10} {errors:>10} {detail}")
for name, file in [("wrk, HTTP/1.1", "wrk"), ("wrk, HTTP/1.1 over TLS", "wrk-tls")]:
    text = open(f"{work}/{file}.out").read()
    total = re.search(r"(\d+) requests in", text)
    socket = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    status = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = sum(map(int, socket.groups())) if socket else 0
    errors += int(status.group(1)) if status else 0
    row(name, int(total.group(1)) if total else 0, errors, socket.group(0) if socket else "")
for name, file in [("h2load, HTTP/2", "h2"), ("h2load, HTTP/2 over TLS", "h2-tls")]:
    text = open(f"{work}/{file}.out").read()
    counts = re.findall(r"requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text)
    total = sum(int(count[0]) for count in counts)
    other = re.findall(r"status codes: .* 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
    failed = sum(int(count[2]) + int(count[4]) for count in counts)
    errors = sum(int(number) for status in other for number in status) + text.count("requests: failed")
    if "reloads" in title:
        errors += failed
    note = f"and {failed} that a GOAWAY left unsent or unlooked at" if failed else ""
    row(name, total, errors, note)
# What was ended in the middle has no end of its line.
texts = [open(name).read() for name in glob.glob(f"{work}/h2-curl.*.out")]
lines = [line for text in texts for line in text.split("\n")[:-1]]
bad_lines = [line for line in lines if line.strip() != "200 2 0"]
row("curl, HTTP/2 over TLS", len(lines), len(bad_lines), "; ".join(bad_lines[:3]))
lines = [line.strip() for file in glob.glob(f"{work}/streams/*[0-9]") for line in open(file)]
broken = [line for line in lines if line != "good"]
row("curl, streams of 5 s", len(lines), len(broken), "; ".join(broken[:3]))
sys.exit(bad > 0)
END
}

upgrade_often() {
    for number in $(seq "$upgrades"); do
        "$bin" upgrade -c "$work/evenkeel.yaml" >"$work/upgrade.out" 2>>"$work/log"
        gateway=$(sed -n 's/^process \([0-9]*\) serves$/\1/p' "$work/upgrade.out")
        [ -n "$gateway" ] || { echo "upgrade $number failed" >&2; return 1; }
        sleep 0.5
    done
}

reload_often() {
    for number in $(seq "$reloads"); do
        write_file $((number % 3 + 1)) $((number % 5 + 1))
        kill -HUP "$gateway"
        after "$work/log" "it is number $((number + 1))\$" >/dev/null
    done
}

grep -m1 'model name' /proc/cpuinfo | sed 's/.*: //; s/$/, '"$(nproc)"' processors/'
"$bin" --version
under_load "$upgrades upgrades" upgrade_often
under_load "$reloads reloads" reload_often
kill -TERM "$gateway"
for _ in $(seq 1000); do
    pgrep -f "run .*$work/evenkeel.yaml" >/dev/null || break
    sleep 0.01
done
if pgrep -f "run .*$work/evenkeel.yaml" >/dev/null; then
    echo "processes that have not ended" >&2
    exit 1
fi
exit "$failed"
