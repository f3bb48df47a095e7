# A PostgreSQL server for tests and measurements: of its own, in a temporary folder, on a free port of
# this machine.

# The programs of the newest PostgreSQL that is here.
postgres_programs() {
  local found
  found=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort --version-sort | tail -1) || true
  if [[ $found ]]; then
    dirname "$found"
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

# as_postgres COMMAND…: runs one of PostgreSQL's programs, which do not run as root.
as_postgres() {
  local run=("$@")
  ((EUID != 0)) || run=(runuser -u postgres -- "$@")
  # In its own folder, which it may read; and never asking anybody.
  (cd "$postgres_folder" && PATH=$(postgres_programs):$PATH "${run[@]}" </dev/null)
}

# Nothing in it need outlive the server: nothing has to reach the disk.
postgres_for_tests='-c fsync=off -c full_page_writes=off -c synchronous_commit=off'
postgres_for_tests+=' -c max_connections=400 -c shared_buffers=256MB -c jit=off'
# As durable as PostgreSQL comes, with the memory that one gives it.
postgres_for_measuring='-c shared_buffers=2GB -c max_wal_size=4GB'

# start_postgres SETTINGS: starts a server, and says in DAYBOOK_TEST_POSTGRES_URL where it is, for somebody
# who has no more rights there than an installation needs.
start_postgres() {
  postgres_programs >/dev/null || fail "PostgreSQL is not here. Please run: ./dev setup"
  postgres_folder=$(mktemp -d "${TMPDIR:-/tmp}/daybook-postgres.XXXXXX")
  ((EUID != 0)) || chown postgres "$postgres_folder"
  postgres_watch &
  postgres_watcher=$!
  as_postgres initdb --pgdata data --username postgres --auth trust --no-sync --encoding UTF8 \
    --locale C >/dev/null || postgres_failed "PostgreSQL's initdb failed."
  local port
  for _ in {1..20}; do
    port=$((20000 + RANDOM % 20000))
    # A port that is taken is found out by the server itself.
    if as_postgres pg_ctl start --silent --wait --pgdata data --log log --options "-p $port \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories='$postgres_folder' \
        $1" >/dev/null 2>&1; then
      as_postgres psql --quiet --host "$postgres_folder" --port "$port" --username postgres \
        --command 'CREATE ROLE daybook LOGIN CREATEDB' --command 'CREATE ROLE daybook_server' \
        --command 'GRANT daybook_server TO daybook' || postgres_failed "PostgreSQL refused its roles."
      export DAYBOOK_TEST_POSTGRES_URL=postgres://daybook@127.0.0.1:$port
      # Tests that stop and start a server have one of their own.
      DAYBOOK_TEST_POSTGRES_PROGRAMS=$(postgres_programs)
      export DAYBOOK_TEST_POSTGRES_PROGRAMS
      return
    fi
  done
  cat "$postgres_folder/log" >&2
  postgres_failed "PostgreSQL did not start."
}

postgres_failed() {
  stop_postgres
  fail "$1"
}

# Stops it, and removes what was in it.
stop_postgres() {
  [[ ${postgres_folder-} ]] || return 0
  kill "$postgres_watcher" 2>/dev/null || true
  wait "$postgres_watcher" 2>/dev/null || true
  end_postgres
  postgres_folder=
  unset DAYBOOK_TEST_POSTGRES_URL DAYBOOK_TEST_POSTGRES_PROGRAMS
}

end_postgres() {
  [[ ! -e $postgres_folder/data/postmaster.pid ]] ||
    as_postgres pg_ctl stop --silent --mode immediate --pgdata data >/dev/null 2>&1 || true
  rm -rf "$postgres_folder"
}

# Stops it where whoever started it was killed, and could not.
postgres_watch() {
  trap - EXIT
  while kill -0 $$ 2>/dev/null; do
    sleep 2
  done
  end_postgres
}
