# shellcheck shell=bash
# The groups of `test`, and `bench`. A group is a function test_NAME that calls `check` for each thing it tests.

test_groups=(lint unit clang sanitize pgtap isolation model integration contract chaos upgrade demo)

# No single check may hang the whole run.
check_limit=1800

command_test() {
    local groups=("$@") group started
    ((${#groups[@]} > 0)) || groups=("${test_groups[@]}")
    for group in "${groups[@]}"; do
        [[ " ${test_groups[*]} " == *" $group "* ]] || die "there is no test group '$group'" "the groups: ${test_groups[*]}"
    done
    passed=0
    failed=0
    failures=()
    SECONDS=0

    say "Debian packages"
    install_packages_of test
    prepare_home
    mkdir -p "$TBS_HOME/logs/test"
    # What the database groups need. When it does not even build, they all fail, and each says so.
    take_lock
    say "build"
    if ! build_for_tests; then
        record_failure "build"
        finish_tests
        return 1
    fi
    release_lock

    for group in "${groups[@]}"; do
        started=$SECONDS
        passed_before=$passed failed_before=$failed
        "test_$group"
        printf '== %-11s %d passed, %d failed, %d:%02d\n' "$group" $((passed - passed_before)) $((failed - failed_before)) \
            $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60))
    done
    finish_tests
    ((failed == 0))
}

build_for_tests() {
    copy_postgresql && compile_extension release && install_extension && configure release && compile release
}

finish_tests() {
    local failure
    printf '== took %d:%02d\n' $((SECONDS / 60)) $((SECONDS % 60))
    # What went wrong once more, without what went well: whoever reads only the end of a long output finds it there.
    for failure in "${failures[@]}"; do
        printf 'failed: %s\n' "$failure"
        [[ ! -f $(log_of "$failure") ]] || sed -E '/^ *([0-9.]+ +)?(ok|skipped) /d' "$(log_of "$failure")" | tail -n 40 | sed 's/^/      | /'
    done
    printf '%d passed, %d failed\n' "$passed" "$failed"
}

record_failure() {
    failed=$((failed + 1))
    failures+=("$1")
}

log_of() { printf '%s' "$TBS_HOME/logs/test/${1//[^A-Za-z0-9_.-]/-}.log"; }

# check NAME COMMAND...: counts, keeps the output in a file, and shows it when the command fails.
check() {
    local name=$1 log started=$SECONDS status=0
    shift
    log=$(log_of "$name")
    [[ ! -t 1 ]] || printf '   .. %s' "$name"
    run_limited "$log" "$@" || status=$?
    [[ ! -t 1 ]] || printf '\r\033[K'
    if ((status == 0)); then
        passed=$((passed + 1))
        printf '   ok %s (%d s)\n' "$name" $((SECONDS - started))
        sed -n 's/^ *[0-9.]*  skipped /      skipped: /p' "$log"
    else
        record_failure "$name"
        printf '   FAILED %s (%d s, exit status %d):\n' "$name" $((SECONDS - started)) "$status"
        sed 's/^/      | /' "$log"
    fi
}

# Runs a command, or a function of this script, as a process group of its own, which is ended as a whole when it takes too
# long or when this script is interrupted. Its output goes to a file and not through a pipe: what a test leaves running by
# mistake must not keep this script waiting.
run_limited() {
    local log=$1 status=0
    shift
    set -m
    ("$@") </dev/null >"$log" 2>&1 9>&- &
    check_group=$!
    (exec timeout "$check_limit" tail --pid="$check_group" -s 0.5 -f /dev/null) || end_check "$log" </dev/null &>/dev/null 9>&- &
    set +m
    trap 'end_check; exit 130' INT TERM HUP
    wait "$check_group" || status=$?
    trap - INT TERM HUP
    # What the check left behind.
    kill -TERM -- "-$check_group" 2>/dev/null || true
    return "$status"
}

end_check() {
    [[ -z ${1:-} ]] || echo "(ended after $check_limit s, the limit of a check)" >>"$1"
    kill -TERM -- "-$check_group" 2>/dev/null || true
    # What does not go in peace.
    timeout 20 tail --pid="$check_group" -s 0.1 -f /dev/null || kill -KILL -- "-$check_group" 2>/dev/null || true
}

# Every executable in a folder, each by itself: check_each LABEL FOLDER [COMMAND BEFORE IT...]
check_each() {
    local label=$1 folder=$2 program found=
    shift 2
    for program in "$TBS_ROOT/$folder"/*; do
        [[ -f $program && -x $program ]] || continue
        found=yes
        check "$label: $(basename "$program")" "$@" "$program"
    done
    [[ -n $found ]] || check "$label: $folder holds tests" false
}

with_cluster() { "$TBS_ROOT/tools/with-cluster" "$@"; }

# ---- the groups --------------------------------------------------------------------------------------------------------

test_lint() {
    # clang-tidy reads how each file is compiled.
    check "lint: configure" configure clang "${clang_options[@]}"
    export TBS_COMPILE_COMMANDS TBS_PG_INCLUDE
    TBS_COMPILE_COMMANDS=$(build_directory clang)
    TBS_PG_INCLUDE=$("$(pg_config)" --includedir-server)
    check_each lint tests/lint
}

test_unit() {
    run_ctest unit release
}

# What g++ has built for use, clang++ builds for inspection: one build with the other compiler's warnings, as errors, and
# with the sanitizers. Several files at a time, because most of the work is in the headers of libraries: the compiler is
# three times faster, clang-tidy eight times. That a file includes what it needs is seen in g++'s build, which is by file.
clang_options=(-DCMAKE_CXX_COMPILER=clang++ -DTBS_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1"
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=12)

test_clang() {
    check "clang: bridge, switch, unit tests" build_with clang "${clang_options[@]}"
    check "clang: extension" compile_extension clang CXX=clang++ CC=clang COPT=-O0
}

test_sanitize() {
    check "sanitize: build" build_with clang "${clang_options[@]}"
    run_ctest sanitize clang
}

build_with() {
    local flavour=$1
    shift
    configure "$flavour" "$@" && compile "$flavour"
}

run_ctest() {
    export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
    check "$1: ctest" ctest --test-dir "$(build_directory "$2")" --output-on-failure --no-tests=error --parallel "$(nproc)"
    unset ASAN_OPTIONS UBSAN_OPTIONS
}

test_pgtap() {
    check "pgtap" with_cluster --with pgtap pg_prove --failures --comments "$TBS_ROOT"/tests/pgtap/*.sql
}

test_isolation() {
    check "isolation" run_isolation
}

run_isolation() {
    local output specs=() spec tester
    output=$TBS_HOME/build/isolation
    tester=$(pg_copy)/usr/lib/postgresql/$(pg_version)/lib/pgxs/src/test/isolation/pg_isolation_regress
    for spec in "$TBS_ROOT"/tests/isolation/specs/*.spec; do
        [[ -f $spec ]] || die "tests/isolation/specs holds no specs"
        specs+=("$(basename "$spec" .spec)")
    done
    rm -rf "$output"
    mkdir -p "$output"
    # shellcheck disable=SC2016  # that shell's own arguments
    with_cluster bash -c 'psql -qX -v ON_ERROR_STOP=1 -f "$1" && shift && exec "$@"' isolation \
        "$TBS_ROOT/tests/isolation/fixture.sql" "$tester" --use-existing --dbname=tbs --bindir="$(pg_bin)" \
        --inputdir="$TBS_ROOT/tests/isolation" --outputdir="$output" "${specs[@]}" || {
        cat "$output"/*.diffs
        return 1
    }
}

test_model() { check_each model tests/model "$TBS_ROOT/tools/with-cluster"; }

test_integration() { check_each integration tests/integration "$TBS_ROOT/tools/with-cluster"; }

test_contract() { check_each contract tests/contract "$TBS_ROOT/tools/with-cluster"; }

test_chaos() { check_each chaos tests/chaos "$TBS_ROOT/tools/with-cluster"; }

test_upgrade() { check_each upgrade tests/upgrade "$TBS_ROOT/tools/with-cluster"; }

# As a person calls it.
test_demo() { check demo "$TBS_ROOT/tbs" demo; }

# ---- bench -------------------------------------------------------------------------------------------------------------

# bench [NAME [OPTION...]]: one with its options, or all with their defaults. Each has a cluster of its own, with fsync.
# Last is the comparison with others, which installs them.
command_bench() {
    local folder=$TBS_ROOT/tests/bench name=${1:-} programs=() program last=() status=0
    (($# == 0)) || shift
    for program in "$folder"/*; do
        [[ -f $program && -x $program && ${program##*/} == "${name:-${program##*/}}" ]] || continue
        if [[ ${program##*/} == peers ]]; then last=("$program"); else programs+=("$program"); fi
    done
    programs+=("${last[@]}")
    ((${#programs[@]} > 0)) || {
        list_benches "$folder" >&2
        die "there is no bench '$name'"
    }
    steps 4
    step "Debian packages"
    install_packages_of bench
    ! benches_peers "$name" || install_peers_packages
    prepare_home
    take_lock
    step "extension"
    build_extension
    step "bridge and stand-in switch"
    build_programs
    compile release tbs-post tbs-relay
    TBS_BENCH_POST=$(program_path tests/bench/tbs-post)
    TBS_BENCH_RELAY=$(program_path tests/bench/tbs-relay)
    export TBS_BENCH_POST TBS_BENCH_RELAY
    if benches_peers "$name"; then
        install_peers
        TBS_PEERS=$(peers_directory)
        export TBS_PEERS
    fi
    release_lock
    export TBS_BENCH_RESULTS=$TBS_HOME/build/bench
    mkdir -p "$TBS_BENCH_RESULTS"
    step "bench ${name:-(all)}; figures as JSON go to $TBS_BENCH_RESULTS"
    for program in "${programs[@]}"; do
        "$TBS_ROOT/tools/with-cluster" --durable "$program" "$@" || status=1
    done
    if ((${#programs[@]} > 1)); then /usr/bin/python3 "$TBS_ROOT/tests/lib/bars.py" "$TBS_BENCH_RESULTS"; fi
    return "$status"
}

list_benches() {
    local program found=
    for program in "$1"/*; do
        [[ -f $program && -x $program ]] || continue
        found=yes
        printf '  %s\n' "$(basename "$program")"
    done
    [[ -n $found ]] || say "  (there are none in tests/bench)"
}
