# shellcheck shell=bash
# Messages, steps, which user runs what, and where the files of this checkout's stand are.
#
# Who runs what. PostgreSQL refuses to run as root, so there is a *server user* for it, the switch and the bridge:
#   - called by a user: that user, for everything;
#   - called by root in a checkout that belongs to a user (sudo ./tbs up): packages are installed as root, and then the
#     script starts itself again as that user, so that no file of root's is in the way of the next run without sudo;
#   - called by root in a checkout of root's: the builds, tests and psql are root's, the server user is `postgres`.

die() {
    printf 'tbs: %s\n' "$1" >&2
    shift
    (($# == 0)) || printf '     %s\n' "$@" >&2
    exit 1
}

say() { printf '%s\n' "$*"; }

# ---- steps ------------------------------------------------------------------------------------------------------------

# The number of steps that follow; each `step` then says which one it is, and how long it has been since the start.
steps() {
    step_count=$1
    step_number=0
    SECONDS=0
}

step() {
    step_number=$((step_number + 1))
    printf '[%d/%d %d:%02d] %s\n' "$step_number" "$step_count" $((SECONDS / 60)) $((SECONDS % 60)) "$*"
}

# Copies standard input to the file, and shows how far it is: on a terminal the last line, elsewhere a line now and then.
# cmake counts by itself; the compiler commands that make prints are counted here, of the number in progress_total.
progress_total=

show_progress() {
    local log=$1 line shown=$SECONDS width=${COLUMNS:-100} compiled=0
    while IFS= read -r line || [[ -n $line ]]; do
        printf '%s\n' "$line" >&3
        if [[ $line =~ \ -c\ -o\ ([^ ]+) ]]; then
            compiled=$((compiled + 1))
            line="$compiled of $progress_total: ${BASH_REMATCH[1]}"
        fi
        if [[ -t 1 ]]; then
            printf '\r\033[K        %s' "${line:0:width-10}"
        elif ((SECONDS - shown >= 20)); then
            printf '        ... %s\n' "${line:0:90}"
            shown=$SECONDS
        fi
    done 3>"$log"
    [[ ! -t 1 ]] || printf '\r\033[K'
}

# run_shown LOG COMMAND...: runs a long command with its output in LOG; when it fails, shows the end of it.
run_shown() {
    local log=$1 status=0
    shift
    "$@" 2>&1 </dev/null | show_progress "$log" || status=${PIPESTATUS[0]}
    if ((status != 0)); then
        tail -n 60 "$log" >&2
        printf 'tbs: failed (%d): %s\n     the whole output is in %s\n' "$status" "$*" "$log" >&2
        return "$status"
    fi
}

# wait_until SECONDS COMMAND...: for what offers no event to wait for; false when it did not come true in time.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

# Only one `tbs` of this checkout builds, starts or stops things at a time. The lock is file descriptor 9; what is started
# to stay must not inherit it, and so is started with 9>&-.
take_lock() {
    exec 9>"$TBS_HOME/lock"
    flock --nonblock 9 || {
        say "        waiting for another ./tbs of this checkout"
        flock 9
    }
}

release_lock() { exec 9>&-; }

# ---- users ------------------------------------------------------------------------------------------------------------

is_root() { ((EUID == 0)); }

check_checkout() {
    # PGXS's makefiles, and PostgreSQL's own options, cannot carry such a path.
    [[ $TBS_ROOT != *[[:space:]\'\"\\\$\#%]* ]] ||
        die "the path of this checkout has a blank, a quote or one of \\ \$ # % in it, which make cannot handle:" "$TBS_ROOT"
    is_root || [[ -w $TBS_ROOT ]] ||
        die "you cannot write in $TBS_ROOT" "clone the project into a directory of yours"
}

# Called as root in a user's checkout: installs what the command needs, and goes on as that user.
become_owner() {
    is_root || return 0
    local owner group
    owner=$(stat -c %u "$TBS_ROOT")
    group=$(stat -c %g "$TBS_ROOT")
    # A user that this machine does not know (a folder mounted into a container) or who cannot come here is of no use.
    [[ $owner != 0 ]] && getent passwd "$owner" >/dev/null || return 0
    local become=(setpriv --reuid="$owner" --regid="$group" --init-groups --reset-env)
    "${become[@]}" test -w "$TBS_ROOT" || return 0
    install_packages_of "$1"
    if [[ $1 == bench ]] && benches_peers "${2:-}"; then install_peers_packages; fi
    exec "${become[@]}" env ${TBS_PG_VERSION:+TBS_PG_VERSION="$TBS_PG_VERSION"} "$TBS_ROOT/tbs" "$@"
}

server_user() { if is_root; then echo postgres; else id -un; fi; }

# What to put before a command so that it runs as the server user. Both programs exec the next, so the process id stays.
server_prefix=()
if is_root; then
    server_prefix=(setpriv --reuid=postgres --regid=postgres --init-groups
        env -u XDG_RUNTIME_DIR HOME=/ USER=postgres LOGNAME=postgres)
fi

as_server() { "${server_prefix[@]}" "$@"; }

exec_as_server() { exec "${server_prefix[@]}" "$@"; }

# A directory of the server user's, in a place that is ours.
make_server_directory() {
    local directory
    for directory; do
        mkdir -p "$directory"
        ! is_root || chown postgres:postgres "$directory"
    done
}

# ---- processes ---------------------------------------------------------------------------------------------------------

# When a process started, in the kernel's ticks; nothing when it has ended. Together with its id this names one process for
# good, where the id alone may come to belong to another.
process_started() {
    local stat fields
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    # pid (name) state parent ...: the name may hold blanks; the start is the 22nd field.
    read -ra fields <<<"${stat##*) }"
    [[ ${fields[0]} == Z ]] || echo "${fields[19]}"
}

process_has_ended() { [[ -z $(process_started "$1") ]]; }

# ---- where things are --------------------------------------------------------------------------------------------------

# Sets TBS_HOME, the directory that holds everything made here: normally .tbs. When root's checkout is in a place that the
# server user cannot enter (/root, most often), the files have to be elsewhere; then .tbs is a link to that place.
prepare_home() {
    local link=$TBS_ROOT/.tbs place
    if is_root && ! getent passwd postgres >/dev/null; then
        die "there is no user 'postgres' to run PostgreSQL as; call ./tbs as an ordinary user"
    fi
    if [[ ! -e $link ]]; then
        place=$link
        if is_root && ! as_server test -x "$TBS_ROOT"; then
            place=/var/lib/tbs-provisioning/$(basename "$TBS_ROOT")-$(short_hash "$TBS_ROOT")
            say "        the user postgres cannot enter $TBS_ROOT, so .tbs is a link to $place"
            mkdir -p "$place"
            ln -sfn "$place" "$link"
        fi
        mkdir -p "$place"
    fi
    TBS_HOME=$(readlink -f "$link")
    mkdir -p "$TBS_HOME/build" "$TBS_HOME/logs"
}

short_hash() { printf '%s' "$1" | sha256sum | cut -c1-10; }

# For the commands that change nothing: down, psql, env.
find_home() {
    [[ -d $TBS_ROOT/.tbs ]] || die "nothing has been set up here yet: ./tbs up"
    TBS_HOME=$(readlink -f "$TBS_ROOT/.tbs")
}
