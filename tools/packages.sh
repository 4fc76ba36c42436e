# shellcheck shell=bash
# Which Debian packages are needed for what, and having them installed.

# The PostgreSQL version: Debian's own.
pg_version() {
    local release=unknown
    if [[ -n ${TBS_PG_VERSION:-} ]]; then
        echo "$TBS_PG_VERSION"
        return
    fi
    # shellcheck source=/dev/null
    [[ ! -r /etc/os-release ]] || release=$(. /etc/os-release && echo "${ID:-}-${VERSION_ID:-}")
    case $release in
        debian-12) echo 15 ;;
        debian-13) echo 17 ;;
        *) die "this is not Debian 12 or 13 ($release)" "TBS_PG_VERSION=NN ./tbs ... says which postgresql-NN to use" ;;
    esac
}

# The packages for a command. What builds and runs, for everything; what only checks, for the tests.
packages_of() {
    local version
    version=$(pg_version)
    case $1 in
        up | demo | test | bench)
            echo "postgresql-$version postgresql-server-dev-$version g++ cmake make pkgconf" \
                "libpq-dev libcurl4-openssl-dev nlohmann-json3-dev libcli11-dev libspdlog-dev libboost-dev libgtest-dev" \
                "python3 python3-psycopg2"
            ;;&
        bench) echo "wrk" ;;
        test)
            echo "clang clang-format clang-tidy libclang-rt-dev shellcheck codespell" \
                "postgresql-$version-pgtap libtap-parser-sourcehandler-pgtap-perl libipc-run-perl pgbouncer" \
                "python3-jsonschema"
            ;;
        # For `bench peers` only: see tools/peers.sh.
        pgq) echo "postgresql-$version-pgq3" ;;
        npm) command -v npm >/dev/null || echo "npm" ;;
    esac
}

missing_packages() {
    local package installed
    # shellcheck disable=SC2046  # a list of words
    set -- $(packages_of "$1")
    installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "$@" 2>/dev/null | sed -n 's/^.i //p') || true
    for package; do
        grep -qxF -e "$package" <<<"$installed" || printf '%s ' "$package"
    done
}

# Installs what a command lacks; does nothing, and needs no right, when nothing is missing.
install_packages_of() {
    local missing log elevate=()
    command -v dpkg-query >/dev/null || die "this is not a Debian system: see the list of packages in tools/packages.sh"
    missing=$(missing_packages "$1")
    [[ -n $missing ]] || return 0
    if ! is_root; then
        command -v sudo >/dev/null || die "these packages are missing, and there is no sudo to install them with. As root:" \
            "$TBS_ROOT/tools/install-packages $missing"
        elevate=(sudo)
        # Ask for the password here, where it can be seen.
        sudo -n true 2>/dev/null || sudo -v || die "sudo refused. As root: $TBS_ROOT/tools/install-packages $missing"
    fi
    say "        missing: $missing"
    log=$(mktemp --suffix=.tbs-packages.log)
    # shellcheck disable=SC2086  # a list of words
    run_shown "$log" "${elevate[@]}" "$TBS_ROOT/tools/install-packages" $missing || exit 1
    rm -f "$log"
}
