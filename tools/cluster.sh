# shellcheck shell=bash
# One private PostgreSQL cluster in a directory of its own:
#   pg/ data   sockets/ its socket (only the server user, and root, can enter)   logs/   run/ process ids, keys
# It listens on no network; whoever can enter sockets/ is trusted, so nobody else needs to be asked for a password. The
# port is only a part of the socket's name, and can be the same everywhere.

cluster_port=5432

# cluster_create DIRECTORY [--fast|--durable]: --fast is for tests: it does not survive a crash of the machine (one of the
# server it does). --durable is for measurements: it has the memory that a server of its own would be given.
cluster_create() {
    local directory=$1 sync=()
    [[ ! -d $directory/pg ]] || return 0
    mkdir -p "$directory"
    make_server_directory "$directory/logs" "$directory/run"
    [[ ${2:-} != --fast ]] || sync=(--no-sync)
    # Under another name first: what was interrupted must not be taken for a cluster.
    rm -rf "$directory/pg.new"
    make_server_directory "$directory/pg.new"
    run_initdb "$directory" "${sync[@]}" || return 1
    {
        echo "listen_addresses = ''"
        echo "log_line_prefix = '%m [%p] %a '"
        echo "max_connections = 200"
        echo "max_prepared_transactions = 20"
        [[ ${2:-} != --fast ]] || echo "fsync = off"
        [[ ${2:-} != --durable ]] || printf '%s\n' "shared_buffers = 1GB" "max_wal_size = 4GB"
    } >>"$directory/pg.new/postgresql.conf"
    mv "$directory/pg.new" "$directory/pg"
}

run_initdb() {
    local directory=$1
    shift
    (cd / && as_server "$(pg_bin)/initdb" --pgdata="$directory/pg.new" --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-instructions "$@") >"$directory/initdb.log" 2>&1 || {
        cat "$directory/initdb.log" >&2
        return 1
    }
    rm -f "$directory/initdb.log"
}

# Makes the socket's directory. The path of a socket has at most 107 characters: where the checkout's is too long,
# sockets/ is a link to a short place of the same owner.
cluster_sockets() {
    local directory=$1 place
    if ((${#directory} + ${#cluster_port} > 107 - 20)); then
        place=/tmp
        is_root || place=${XDG_RUNTIME_DIR:-/tmp}
        place=$place/tbs-$(short_hash "$directory")
        # In /tmp anybody could have made it first.
        [[ -d $place ]] || mkdir -m 700 "$place"
        ! is_root || [[ -L $place ]] || chown postgres:postgres "$place"
        [[ ! -L $place && $(stat -c %U "$place") == "$(server_user)" ]] || die "$place belongs to somebody else"
        ln -sfn "$place" "$directory/sockets"
        echo "$place"
    else
        [[ -d $directory/sockets ]] || make_server_directory "$directory/sockets"
        chmod 700 "$directory/sockets"
        echo "$directory/sockets"
    fi
}

# Exports PGHOST and so on for a cluster, and nothing else that libpq reads from the environment.
cluster_environment() {
    local directory=$1 name
    for name in "${!PG@}"; do unset "$name"; done
    PGHOST=$(readlink -f "$directory/sockets")
    export PGHOST PGPORT=$cluster_port PGUSER=postgres PGDATABASE=tbs
    case $PATH in
        "$(pg_bin)":*) ;;
        *) PATH=$(pg_bin):$PATH ;;
    esac
    export PATH
}

cluster_control() {
    local directory=$1
    shift
    (cd / && as_server "$(pg_bin)/pg_ctl" --pgdata="$directory/pg" --silent "$@")
}

cluster_runs() { [[ -f $1/pg/postmaster.pid ]] && cluster_control "$1" status >/dev/null; }

# cluster_start DIRECTORY: returns when it accepts connections.
cluster_start() {
    local directory=$1 sockets
    sockets=$(cluster_sockets "$directory") || return 1
    cluster_control "$directory" --wait --timeout=60 --log="$directory/logs/postgresql.log" \
        --options="-k $sockets -p $cluster_port" start 9>&- || {
        tail -n 30 "$directory/logs/postgresql.log" >&2
        return 1
    }
}

# cluster_stop DIRECTORY [fast|immediate]
cluster_stop() {
    ! cluster_runs "$1" || cluster_control "$1" --wait --timeout=60 --mode="${2:-fast}" stop
}

cluster_remove() {
    local directory=$1
    cluster_stop "$directory" immediate || true
    if [[ -L $directory/sockets ]]; then rm -rf "$(readlink "$directory/sockets")"; fi
    rm -rf "$directory"
}

# cluster_create_database NAME [EXTENSION...]: in the cluster of the environment.
cluster_create_database() {
    local name=$1 extension
    shift
    psql -qX -d postgres -c "CREATE DATABASE $name" || return 1
    for extension; do
        psql -qX -v ON_ERROR_STOP=1 -d "$name" -c "CREATE EXTENSION $extension CASCADE" || return 1
    done
}
