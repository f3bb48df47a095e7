# `./dev test`: every part runs even if one fails, and the last line is true for all of them.

readonly all_parts=(format lint unit contract browser)
# Nothing may hang for ever.
readonly part_limit=35m

run_tests() {
  local part
  for part in "$@"; do
    [[ " ${all_parts[*]} " == *" $part "* ]] ||
      fail "There is no part $part; there are: ${all_parts[*]}"
  done
  (($#)) || set -- "${all_parts[@]}"

  # Only what is to be run on PostgreSQL is.
  given_postgres=${DAYBOOK_TEST_POSTGRES_URL-}
  unset DAYBOOK_TEST_POSTGRES_URL

  passed=0 failed=0 ended=
  trap finish EXIT
  rm -rf target/test
  mkdir -p target/test

  install_for_testing
  local built=yes
  if [[ " $* " == *" contract "* || " $* " == *" browser "* ]]; then
    build_program || built=
  fi
  export DAYBOOK_PROGRAM=$program

  local before
  for part in "$@"; do
    say "Testing: $part"
    before=$((passed + failed))
    if [[ $built || ($part != contract && $part != browser) ]]; then
      "test_$part"
    else
      say "The program did not build"
    fi
    # A part in which nothing ran has failed.
    if ((passed + failed == before)); then
      say "$part: no test ran"
      ((failed += 1))
    fi
  done
  ended=yes
}

# The last line, also when something ended the tests early.
finish() {
  local status=$?
  stop_postgres
  [[ $ended ]] || ((failed)) || failed=1
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  ((failed == 0 && passed > 0)) || exit $((status ? status : 1))
}

# count STATUS PASSED FAILED: adds what a program found. One that broke has failed even if no single
# test did: it did not compile, crashed, or took too long.
count() {
  local status=$1 more_passed=$2 more_failed=$3
  if ((status != 0 && more_failed == 0)); then
    say "It ended with status $status"
    more_failed=1
  fi
  ((passed += more_passed, failed += more_failed)) || true
}

# check COMMAND…: something that passes or fails as one.
check() {
  if "$@"; then count 0 1 0; else count 1 0 1; fi
}

test_format() {
  check cargo fmt --all --check
}

test_lint() {
  check lint
}

lint() {
  cargo clippy "${everything[@]}" --all-targets -- -D warnings &&
    cargo clippy --profile tool --package xtask --all-targets -- -D warnings &&
    cargo xtask lint
}

# Unit, property and store tests, and the examples in the documentation.
test_unit() {
  run_programs unit 'lib|bin' domain store app server
  run_programs store test domain store app
  on_postgres run_programs store-postgres 'lib|test' store
  cargo_test documentation "${everything[@]}" --doc
  cargo_test xtask --profile tool --package xtask
}

# Drives the release program over HTTP and by its command line.
test_contract() {
  run_programs contract test server
  on_postgres run_programs contract-postgres test server
}

# Builds the programs of all tests, once, and lists them: kind, path, crate.
build_tests() {
  local list=target/test/programs
  [[ ! -e $list ]] || return 0
  cargo test "${everything[@]}" --no-run --message-format json-render-diagnostics |
    jq --raw-output 'select(.executable and .profile.test)
      | [.target.kind[0], .executable, (.manifest_path | split("/")[-2])] | @tsv' >"$list.new" || return
  mv "$list.new" "$list"
}

# run_programs NAME KIND CRATE…: runs the test programs of these crates that are of a kind, as cargo
# would, and counts the tests by their summaries.
run_programs() {
  local log=target/test/$1.log kind=$2 status=0 crate programs binary
  local left_out=$PWD/target/test/$1.left-out
  shift 2
  build_tests || status=$?
  : >"$log" >"$left_out"
  for crate in "$@"; do
    programs=$(awk -F '\t' -v kind="^($kind)$" -v crate="$crate" '$1 ~ kind && $3 == crate { print $2 }' \
      target/test/programs) || status=$?
    for binary in $programs; do
      printf '\n%s: %s\n' "$crate" "$(basename "$binary")"
      (cd "$crate" && CARGO_MANIFEST_DIR=$PWD DAYBOOK_TEST_LEFT_OUT=$left_out timeout $(limit) "$binary") |
        tee -a "$log" || status=$?
    done
  done
  count_of "$log" $status "$left_out"
}

# on_postgres COMMAND…: with a PostgreSQL server for the tests: the one that was named, or one of their own.
on_postgres() {
  if [[ $given_postgres ]]; then
    say "The same on $given_postgres"
    DAYBOOK_TEST_POSTGRES_URL=$given_postgres "$@"
    return
  fi
  say "The same on PostgreSQL"
  start_postgres "$postgres_for_tests"
  "$@"
  stop_postgres
}

# cargo_test NAME ARGUMENT…: runs tests and counts them.
cargo_test() {
  local log=target/test/$1.log status=0
  shift
  timeout $(limit) cargo test --no-fail-fast "$@" | tee "$log" || status=$?
  count_of "$log" $status
}

# count_of LOG STATUS [LEFT_OUT]: counts tests by the summaries of their programs. Those that are of the
# other database say there that they did nothing, a line each, and are not counted.
count_of() {
  local left_out=0
  [[ ! ${3-} ]] || left_out=$(wc -l <"$3")
  ((left_out == 0)) || say "Left out, being of the other database: $left_out"
  count "$2" $(awk -v left_out="$left_out" '/^test result: / { passed += $4; failed += $6 }
                    END { print passed - left_out, failed + 0 }' "$1")
}

# Real pages in a real browser.
test_browser() {
  local report=target/test/browser.json status=0
  PLAYWRIGHT_JSON_OUTPUT_NAME=$PWD/$report timeout $(limit) \
    node_modules/.bin/playwright test --config end2end --forbid-only --reporter list,json ||
    status=$?
  count $status $(node --print '
    const { stats } = JSON.parse(fs.readFileSync(process.argv[1]));
    // One that passed when it was tried again is told, and counted as passed; more have failed.
    if (stats.flaky) console.error(`${stats.flaky} passed only when tried again`);
    const [passed, failed] = stats.flaky > 1 ? [0, stats.flaky] : [stats.flaky, 0];
    `${stats.expected + passed} ${stats.unexpected + failed}`' "$report" || echo 0 0)
}

# At a keyboard, Ctrl-C has to reach what is run.
limit() {
  [[ ! -t 0 ]] || printf '%s ' --foreground
  echo $part_limit
}
