# shellcheck shell=bash
# A stand: a private PostgreSQL cluster with the extension, the stand-in switch and the bridge, in one directory. The one
# of `up` is .tbs itself; `demo` makes one of its own.

command_up() {
    local detach=
    case ${1:-} in
        --detach) detach=yes ;;
        '') ;;
        *) die "up has no option '$1'" ;;
    esac

    steps 8
    step "Debian packages"
    install_packages_of up
    prepare_home
    take_lock
    step "extension"
    build_extension
    step "bridge and stand-in switch"
    build_programs
    stand_up "$TBS_HOME"
    release_lock

    print_connection "$TBS_HOME"
    [[ -n $detach ]] || follow_until_interrupted "$TBS_HOME"
}

command_down() {
    find_home
    take_lock
    stand_down "$TBS_HOME"
    [[ ! -d $TBS_HOME/demo ]] || stand_down "$TBS_HOME/demo"
    case ${1:-} in
        '') say "stopped; the data stays in .tbs (./tbs down --remove deletes it)" ;;
        --remove)
            cluster_remove "$TBS_HOME/demo"
            cluster_remove "$TBS_HOME"
            rm -rf "$TBS_ROOT/.tbs"
            say "stopped, and .tbs is deleted"
            ;;
        *) die "down has no option '$1'" ;;
    esac
}

command_psql() {
    find_home
    stand_runs "$TBS_HOME"
    stand_environment "$TBS_HOME"
    exec psql "$@"
}

command_env() {
    local name
    find_home
    stand_runs "$TBS_HOME"
    stand_environment "$TBS_HOME"
    for name in PGHOST PGPORT PGUSER PGDATABASE TBS_SWITCH_URL; do
        printf 'export %s=%q\n' "$name" "${!name}"
    done
}

# A demo begins with an empty database and an empty switch, and does not disturb what `up` runs.
command_demo() {
    local stand status=0
    steps 9
    step "Debian packages"
    install_packages_of demo
    prepare_home
    take_lock
    step "extension"
    build_extension
    step "bridge and stand-in switch"
    build_programs
    stand=$TBS_HOME/demo
    stand_down "$stand"
    cluster_remove "$stand"
    trap 'stand_down "$TBS_HOME/demo"' EXIT
    trap 'exit 130' INT TERM HUP
    stand_up "$stand"
    release_lock
    step "the demo"
    (stand_environment "$stand" && exec "$TBS_ROOT/demo/run" "$@") || status=$?
    if ((status != 0)); then
        printf 'tbs: the demo ended with %d; the logs are in %s\n' "$status" "$stand/logs" >&2
        tail -n 20 "$stand"/logs/*.log >&2
    fi
    return "$status"
}

# ---- a stand -----------------------------------------------------------------------------------------------------------

# stand_up DIRECTORY: starts what does not run, and what runs from an older build. Takes five steps.
stand_up() {
    local stand=$1
    mkdir -p "$stand"
    step "PostgreSQL"
    start_server "$stand"
    cluster_environment "$stand"
    step "database"
    prepare_database "$stand"
    step "stand-in switch"
    start_switch "$stand"
    step "first network resource"
    stand_environment "$stand"
    psql -qX -v ON_ERROR_STOP=1 -v base_url="$TBS_SWITCH_URL" -v key_file="$stand/run/switch.key" \
        -f "$TBS_ROOT/tools/first-resource.sql" >/dev/null
    step "bridge"
    start_bridge "$stand"
}

# Stops in the order in which nobody misses anything: the bridge gives back what it holds, and then the others go.
stand_down() {
    local stand=$1
    piece_stop "$stand" bridge
    piece_stop "$stand" switch
    cluster_stop "$stand"
}

stand_runs() {
    if ! cluster_runs "$1" || [[ ! -s $1/run/switch.port ]]; then die "nothing is running here: ./tbs up --detach"; fi
}

stand_environment() {
    cluster_environment "$1"
    TBS_SWITCH_URL=http://127.0.0.1:$(cat "$1/run/switch.port")/ns-api/v2
    TBS_SWITCH_KEY=$(cat "$1/run/switch.key")
    export TBS_SWITCH_URL TBS_SWITCH_KEY
}

start_server() {
    local stand=$1 postmaster
    cluster_create "$stand"
    if cluster_runs "$stand"; then
        postmaster=$(head -n 1 "$stand/pg/postmaster.pid")
        [[ $(as_server readlink "/proc/$postmaster/exe") != *'(deleted)' ]] || cluster_stop "$stand"
    fi
    cluster_runs "$stand" || cluster_start "$stand"
}

prepare_database() {
    local stand=$1 fingerprint made_with
    fingerprint=$(extension_fingerprint)
    if [[ -z $(psql -XAt -d postgres -c "SELECT 1 FROM pg_database WHERE datname = 'tbs'") ]]; then
        cluster_create_database tbs
    fi
    if [[ -z $(psql -XAt -c "SELECT 1 FROM pg_extension WHERE extname = 'tbs'") ]]; then
        psql -qX -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION tbs'
        echo "$fingerprint" >"$stand/extension"
    fi
    made_with=$(cat "$stand/extension" 2>/dev/null) || true
    [[ $made_with == "$fingerprint" ]] ||
        say "        NOTE: the extension's SQL has changed since this database was made; ./tbs down --remove begins anew"
    psql -qX -v ON_ERROR_STOP=1 -f "$TBS_ROOT/tools/roles.sql" >/dev/null
}

start_switch() {
    local stand=$1 program port=0
    program=$(program_path tests/simulator/tbs-switch)
    ! piece_is_current "$stand" switch "$program" || return 0
    piece_stop "$stand" switch
    make_key "$stand/run/switch.key"
    # The same port as last time, if it is still free: the network resource's base URL names it.
    [[ ! -s $stand/run/switch.port ]] || port=$(cat "$stand/run/switch.port")
    start_switch_on "$stand" "$program" "$port" || start_switch_on "$stand" "$program" 0 || {
        tail -n 20 "$stand/logs/switch.log" >&2
        die "the stand-in switch does not start"
    }
}

make_key() {
    local file=$1
    [[ ! -s $file ]] || return 0
    make_server_directory "$(dirname "$file")"
    (umask 077 && cat /proc/sys/kernel/random/uuid >"$file")
    ! is_root || chown postgres:postgres "$file"
}

start_switch_on() {
    local stand=$1 program=$2 port=$3
    rm -f "$stand/run/switch.port"
    piece_start "$stand" switch "$program" --listen 127.0.0.1 --port "$port" --port-file "$stand/run/switch.port" \
        --api-key "$(cat "$stand/run/switch.key")"
    wait_until 20 switch_answers_or_ended "$stand" && switch_answers "$stand"
}

switch_answers_or_ended() { switch_answers "$1" || ! piece_runs "$1" switch; }

switch_answers() {
    local port connection status=
    [[ -s $1/run/switch.port ]] || return 1
    port=$(cat "$1/run/switch.port")
    { exec {connection}<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
    printf 'GET /_ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&"$connection"
    read -r -t 5 _ status _ <&"$connection" || true
    exec {connection}>&-
    [[ $status == 200 || $status == 204 ]]
}

# The bridge says that it is ready as it would to systemd: once it listens and has registered itself.
start_bridge() {
    local stand=$1 program socket listener
    program=$(program_path bridge/tbs-bridge)
    ! piece_is_current "$stand" bridge "$program" || return 0
    piece_stop "$stand" bridge
    socket=$PGHOST/bridge-ready
    rm -f "$socket"
    "$TBS_ROOT/tools/await-ready" "$socket" 20 9>&- &
    listener=$!
    wait_until 5 test -S "$socket" || die "nothing waits for the bridge at $socket"
    NOTIFY_SOCKET=$socket PGUSER=tbs_bridge piece_start "$stand" bridge "$program" --environment demo
    wait_until 20 has_ended_or_bridge_has "$listener" "$stand" || true
    if ! piece_runs "$stand" bridge || ! wait "$listener"; then
        kill "$listener" 2>/dev/null || true
        tail -n 20 "$stand/logs/bridge.log" >&2
        die "the bridge does not start"
    fi
}

has_ended_or_bridge_has() { process_has_ended "$1" || ! piece_runs "$2" bridge; }

print_connection() {
    local stand=$1
    cat <<TEXT

Ready.
  ./tbs psql                     psql in this database (a superuser; -U tbs_app, tbs_operator ... for the others)
  eval "\$(./tbs env)"            PGHOST, PGPORT, PGUSER, PGDATABASE and TBS_SWITCH_URL for your own programs
  socket directory               $PGHOST
  stand-in switch                $TBS_SWITCH_URL   (API key in $stand/run/switch.key)
  logs                           $stand/logs
  ./tbs down                     stops it all

TEXT
}

follow_until_interrupted() {
    local stand=$1 follower
    say "Ctrl-C stops everything. The logs from here on:"
    tail -q -n 0 -F "$stand"/logs/{postgresql,switch,bridge}.log 2>/dev/null &
    follower=$!
    trap 'kill "$follower" 2>/dev/null || true; command_down' EXIT
    trap 'exit 0' INT TERM HUP
    wait "$follower"
}

# ---- a piece: one program of a stand, running on its own ---------------------------------------------------------------

# run/NAME.pid holds the process id and the moment the process started: a number that now belongs to another process is
# recognised, and that process left alone.
piece_start() {
    local stand=$1 name=$2
    shift 2
    make_server_directory "$stand/run" "$stand/logs"
    (
        cd /
        exec_as_server setsid "$@" </dev/null >>"$stand/logs/$name.log" 2>&1 9>&-
    ) &
    echo "$! $(process_started "$!")" >"$stand/run/$name.pid"
    disown
}

piece_runs() {
    local id started
    [[ -s $1/run/$2.pid ]] || return 1
    read -r id started <"$1/run/$2.pid"
    [[ -n $started && $(process_started "$id") == "$started" ]]
}

# It runs, and was started after its program was built.
piece_is_current() { piece_runs "$1" "$2" && [[ ! $3 -nt $1/run/$2.pid ]]; }

piece_stop() {
    local stand=$1 name=$2 id
    if piece_runs "$stand" "$name"; then
        read -r id _ <"$stand/run/$name.pid"
        kill -TERM "$id"
        wait_until 15 process_has_ended "$id" || kill -KILL "$id" || true
    fi
    rm -f "$stand/run/$name.pid"
}
