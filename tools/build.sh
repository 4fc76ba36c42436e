# shellcheck shell=bash
# Compiling, and the private copy of PostgreSQL that the extension is installed into.
#
# PostgreSQL up to 17 finds an extension only below its own directories, which belong to the system. Installing there
# would need root for every build, and two checkouts would fight over one tbs.so. But PostgreSQL finds its directories
# relative to its own program, and Debian's are under one prefix, /usr: so a copy of /usr/lib/postgresql/NN and
# /usr/share/postgresql/NN in .tbs/postgresql/usr/... (37 MB, well below a second) is a complete PostgreSQL that looks for
# extensions in the copy, and DESTDIR=.tbs/postgresql is what installs into it. What the copy does not have (headers,
# makefiles, libpq) is used from the system.

pg_copy() { echo "$TBS_HOME/postgresql"; }
pg_bin() { echo "$(pg_copy)/usr/lib/postgresql/$(pg_version)/bin"; }
pg_config() { echo "/usr/lib/postgresql/$(pg_version)/bin/pg_config"; }
pg_share() { echo "$(pg_copy)/usr/share/postgresql/$(pg_version)"; }
build_directory() { echo "$TBS_HOME/build/$1"; }
program_path() { echo "$(build_directory release)/$1"; }

# Makes the copy; again when the system's packages have changed.
copy_postgresql() {
    local version stamp copy
    version=$(pg_version)
    copy=$(pg_copy)
    stamp=$(dpkg-query -W -f '${Package} ${Version}\n' "postgresql-$version" "postgresql-client-$version")
    if [[ $(cat "$copy/stamp" 2>/dev/null) != "$stamp" ]]; then
        # A running server keeps the files it has open; `up` then sees that its program is gone and starts the new one.
        rm -rf "$copy" "$copy.new"
        mkdir -p "$copy.new/usr/lib/postgresql" "$copy.new/usr/share/postgresql"
        cp -a --reflink=auto "/usr/lib/postgresql/$version" "$copy.new/usr/lib/postgresql/"
        cp -a --reflink=auto "/usr/share/postgresql/$version" "$copy.new/usr/share/postgresql/"
        printf '%s\n' "$stamp" >"$copy.new/stamp"
        mv "$copy.new" "$copy"
    fi
    # Extensions that the system got later (pgTAP for the tests, PgQ for a benchmark). A library that a running server has
    # loaded must not be written into, or the server ends with a bus error: a new file takes its place.
    cp -a --update --remove-destination "/usr/share/postgresql/$version/extension/." "$(pg_share)/extension/"
    cp -a --update --remove-destination "/usr/lib/postgresql/$version/lib/." "$copy/usr/lib/postgresql/$version/lib/"
}

# configure FLAVOUR [CMAKE OPTION...]
configure() {
    local directory
    directory=$(build_directory "$1")
    shift
    # What cmake writes last.
    if [[ -f $directory/Makefile ]]; then
        # Anew, where a CMakeLists.txt has changed: not only a build reads what it makes, clang-tidy does too.
        run_shown "$directory.log" cmake --build "$directory" --target cmake_check_build_system
    else
        run_shown "$directory.log" cmake -G 'Unix Makefiles' -S "$TBS_ROOT" -B "$directory" "$@"
    fi
}

# compile FLAVOUR [TARGET...]: all targets when none is named.
compile() {
    local directory
    directory=$(build_directory "$1")
    shift
    run_shown "$directory.log" cmake --build "$directory" --parallel "$(nproc)" ${1:+--target "$@"}
}

# The extension is compiled in a tree of links to its sources: so the checkout stays clean, and builds with different
# compilers (or a developer's own make in the checkout) do not meet.
link_extension_sources() {
    local tree=$1 file
    mkdir -p "$tree"
    find "$tree" -type l -delete
    # What a developer's own make left in the checkout is not a source.
    while IFS= read -r -d '' file; do
        mkdir -p "$tree/${file%/*}"
        ln -s "$TBS_ROOT/$file" "$tree/$file"
    done < <(cd "$TBS_ROOT" && find ./Makefile.pgxs ./extension ./sql -type f ! -name '*.o' ! -name '*.so' ! -name '*.bc' \
        ! -name '*.stamp' ! -path './sql/tbs--*' -print0)
}

# compile_extension FLAVOUR [MAKE VARIABLE...]
compile_extension() {
    local tree
    tree=$(build_directory "extension-$1")
    shift
    link_extension_sources "$tree"
    # shellcheck disable=SC2034  # read in common.sh
    progress_total=$(find "$tree" -name '*.cpp' | wc -l)
    run_shown "$tree.log" make -C "$tree" -f Makefile.pgxs --jobs="$(nproc)" PG_CONFIG="$(pg_config)" "$@"
}

install_extension() {
    local tree
    tree=$(build_directory extension-release)
    run_shown "$tree.log" make -C "$tree" -f Makefile.pgxs install PG_CONFIG="$(pg_config)" DESTDIR="$(pg_copy)"
}

extension_version() { sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" "$TBS_ROOT/extension/tbs.control"; }

# What a database that was made with this build contains: changes when the extension's SQL does.
extension_fingerprint() { sha256sum <"$(pg_share)/extension/tbs--$(extension_version).sql" | cut -c1-16; }

build_extension() {
    copy_postgresql
    compile_extension release
    install_extension
}

build_programs() {
    configure release
    compile release tbs-bridge tbs-switch
}

# For the helpers that need it built, without a word when there is nothing to do.
build_all() {
    build_extension && build_programs
}
