# shellcheck shell=bash
# What `bench peers` compares with: installed for it alone, and only what is missing. What cannot be had is said, and not
# measured; the rest is.

peers_directory() { echo "$TBS_HOME/peers"; }

# Whether `bench NAME` runs that benchmark.
benches_peers() { [[ ${1:-peers} == peers ]]; }

# PgQ, for its trigger; npm, unless there is one already.
install_peers_packages() {
    local what
    for what in pgq npm; do
        (install_packages_of "$what") || say "        goes on without $(packages_of "$what")"
    done
}

# graphile-worker and pg-boss, with the Node.js that they want, as tests/bench/peer/package-lock.json names them: in .tbs,
# where the programs that use them are put beside them.
install_peers() {
    local source=$TBS_ROOT/tests/bench/peer directory
    directory=$(peers_directory)
    mkdir -p "$directory"
    cp "$source"/*.mjs "$directory/"
    if [[ ! -d $directory/node_modules ]] || ! cmp -s "$source/package-lock.json" "$directory/package-lock.json"; then
        rm -rf "$directory/node_modules"
        cp "$source"/package*.json "$directory/"
        # Nothing of theirs runs while it is installed.
        if ! command -v npm >/dev/null || ! run_shown "$directory.log" npm ci --prefix "$directory" --ignore-scripts --no-audit --no-fund; then
            rm -rf "$directory/node_modules"
            say "        goes on without graphile-worker and pg-boss"
        fi
    fi
}
