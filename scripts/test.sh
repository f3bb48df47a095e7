# `./dev test`: every part runs even if one fails, and the last line is true for all of them.

readonly all_parts=(format lint unit contract browser)
# No part may hang for ever.
readonly part_limit=25m

run_tests() {
  local part
  for part in "$@"; do
    [[ " ${all_parts[*]} " == *" $part "* ]] ||
      fail "There is no part $part; there are: ${all_parts[*]}"
  done
  (($#)) || set -- "${all_parts[@]}"

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
  local chosen=(--lib --bins) file
  for file in $(tests_in domain store app); do
    chosen+=(--test "$file")
  done
  cargo_test unit "${everything[@]}" "${chosen[@]}"
  test_on_postgres store "${chosen[@]}"
  cargo_test documentation "${everything[@]}" --doc
  cargo_test xtask --profile tool --package xtask
}

# Drives the release program over HTTP and by its command line.
test_contract() {
  local chosen=() file
  for file in $(tests_in server); do
    chosen+=(--test "$file")
  done
  ((${#chosen[@]})) || return 0
  cargo_test contract "${everything[@]}" "${chosen[@]}"
  test_on_postgres server "${chosen[@]}"
}

# test_on_postgres CRATE ARGUMENT…: runs a crate's integration tests once more, on PostgreSQL; the
# programs are those that were just built and run with the same arguments.
test_on_postgres() {
  local crate=$1 log=target/test/$1-postgres.log program status=0
  shift
  say "The same on PostgreSQL: $crate"
  start_postgres
  local programs
  programs=$(cargo test "${everything[@]}" "$@" --no-run --message-format json 2>/dev/null |
    jq --raw-output --arg of "/$crate/Cargo.toml" 'select(.executable and .profile.test
      and .target.kind == ["test"] and (.manifest_path | endswith($of))) | .executable') || status=$?
  # Where none is found, none was tested.
  [[ $programs ]] || status=1
  : >"$log"
  for program in $programs; do
    (cd "$crate" && timeout $(limit) "$program") | tee -a "$log" || status=$?
  done
  stop_postgres
  count_of "$log" $status
}

# tests_in CRATE…: the names of the integration tests of these crates.
tests_in() {
  local crate path
  for crate in "$@"; do
    for path in "$crate"/tests/*.rs "$crate"/tests/*/main.rs; do
      [[ -e $path ]] || continue
      path=${path#"$crate"/tests/}
      path=${path%/main.rs}
      echo "${path%.rs}"
    done
  done
}

# cargo_test NAME ARGUMENT…: runs tests and counts them.
cargo_test() {
  local log=target/test/$1.log status=0
  shift
  timeout $(limit) cargo test --no-fail-fast "$@" | tee "$log" || status=$?
  count_of "$log" $status
}

# count_of LOG STATUS: counts tests by the summaries of their programs.
count_of() {
  count "$2" $(awk '/^test result: / { passed += $4; failed += $6 }
                    END { print passed + 0, failed + 0 }' "$1")
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
