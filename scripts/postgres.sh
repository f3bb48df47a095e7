# A PostgreSQL server for the tests: of its own, in a temporary folder, on a free port of this machine.

# The programs of the newest PostgreSQL that is here.
postgres_programs() {
  local folder
  folder=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort --version-sort | tail -1)
  if [[ $folder ]]; then
    dirname "$folder"
  elif has pg_config && [[ -x $(pg_config --bindir)/initdb ]]; then
    pg_config --bindir
  elif has initdb; then
    dirname "$(command -v initdb)"
  else
    return 1
  fi
}

install_postgres() {
  postgres_programs >/dev/null && return
  debian postgresql
  postgres_programs >/dev/null || fail "Please install PostgreSQL 15 or newer, then try again."
}

# PostgreSQL does not run as root.
as_postgres() {
  if ((EUID == 0)); then
    runuser -u postgres -- "$@"
  else
    "$@"
  fi
}

# Starts a server, and says in DAYBOOK_TEST_POSTGRES_URL where it is. What is in it need not outlive it:
# it writes nothing to the disk before it has to.
start_postgres() {
  local programs port
  programs=$(postgres_programs) || fail "PostgreSQL is not here. Please run: ./dev setup"
  postgres_folder=$(mktemp -d "${TMPDIR:-/tmp}/daybook-postgres.XXXXXX")
  ((EUID != 0)) || chown postgres "$postgres_folder"
  (cd "$postgres_folder" && quietly postgres.log as_postgres "$programs/initdb" \
    --pgdata "$postgres_folder/data" --username postgres --auth trust --no-sync \
    --encoding UTF8 --locale C) || fail "PostgreSQL's initdb failed."
  for _ in {1..20}; do
    port=$((20000 + RANDOM % 20000))
    # One that is taken is found out by the server itself.
    if (cd "$postgres_folder" && as_postgres "$programs/pg_ctl" start --silent --wait \
      --pgdata "$postgres_folder/data" --log "$postgres_folder/log" --options "-p $port \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories=$postgres_folder \
        -c fsync=off -c full_page_writes=off -c synchronous_commit=off \
        -c max_connections=400 -c jit=off") >/dev/null 2>&1; then
      export DAYBOOK_TEST_POSTGRES_URL=postgres://postgres@127.0.0.1:$port
      return
    fi
  done
  cat "$postgres_folder/log" >&2
  stop_postgres
  fail "PostgreSQL did not start."
}

# Stops it, and removes what was in it.
stop_postgres() {
  [[ ${postgres_folder-} ]] || return 0
  (cd "$postgres_folder" && as_postgres "$(postgres_programs)/pg_ctl" stop --silent \
    --mode immediate --pgdata "$postgres_folder/data") >/dev/null 2>&1 || true
  rm -rf "$postgres_folder"
  postgres_folder=
  unset DAYBOOK_TEST_POSTGRES_URL
}
