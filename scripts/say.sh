# What the person at the screen is told.

# say TEXT: one step, with the seconds since the start.
say() {
  printf '[%4d s] %s\n' "$SECONDS" "$*" >&2
}

# fail TEXT: why it cannot go on; ends the program.
fail() {
  printf '\n%s\n' "$*" >&2
  exit 1
}

# quietly LOG COMMAND…: keeps what the command prints in target/LOG and shows it only if it fails.
quietly() {
  local log=target/$1
  shift
  mkdir -p target
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    return 1
  fi
}
