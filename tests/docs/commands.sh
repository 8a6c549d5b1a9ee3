# What the documents may tell a reader to type. The shell that runs their blocks finds nothing but what is in here and in
# PROGRAMS of shell_blocks.py: any other command fails the test of its block.

# A terminal that is busy with a server would take no more commands: the reader opens another one, and so does this.
# The port of the page becomes a free one.
serve() {
    if [ -n "${server:-}" ]; then kill "$server"; wait "$server" || true; fi
    : > "$HOME/emulator.log"
    "$PYTHON" -P -u "$@" --port "$EMULATOR_PORT" >> "$HOME/emulator.log" 2>&1 &
    server=$!
    until grep -q "http://" "$HOME/emulator.log"; do
        kill -0 "$server" || { cat "$HOME/emulator.log"; return 1; }
        sleep 0.1
    done
}

python() {
    case "$*" in
        "-m seedance_provider.emulator"*) serve "$@" ;;
        *) "$PYTHON" -P "$@" ;;
    esac
}

airflow() { python -m airflow "$@"; }

# An answer that says what is wrong is no success.
curl() { command curl --fail-with-body --show-error "$@"; }

# What takes minutes, or is the whole project: the target and its variables have to exist. See RUN_ELSEWHERE.
make() {
    command make --directory "$REPOSITORY" --dry-run "$@" > /dev/null
    record make "$@"
}

# These are looked at afterwards, by the functions of the same names in shell_blocks.py.
record() { printf '%s\0' "$@" $'\n' >> "$RECORDED"; }
export() {
    builtin export "$@"
    record export "$@"
    # The vendor can't be asked from here. A connection that leads there was looked at, and now leads to the emulator.
    case "$*" in
        AIRFLOW_CONN_SEEDANCE_DEFAULT=*":$EMULATOR_PORT"* | AIRFLOW_CONN_SEEDANCE_DEFAULT=*"%3A$EMULATOR_PORT"*) ;;
        AIRFLOW_CONN_SEEDANCE_DEFAULT=*)
            AIRFLOW_CONN_SEEDANCE_DEFAULT="seedance://:emulator-key@http%3A%2F%2F127.0.0.1%3A$EMULATOR_PORT%2Fapi%2Fv1" ;;
    esac
}
pip() { record pip "$@"; }
git() { record git "$@"; }
