# `./dev up`: from the sources to a page in the browser.

up() {
  local port=3000 database=${DAYBOOK_DATABASE_URL:-sqlite:data/daybook.db}
  while (($#)); do
    case $1 in
      --port=* | --database=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
      --port) port=${2:?--port wants a number} && shift 2 ;;
      --database) database=${2:?--database wants a URL} && shift 2 ;;
      *) fail "./dev up does not know $1; see ./dev help" ;;
    esac
  done
  [[ $port =~ ^[0-9]+$ ]] || fail "--port wants a number, not $port"
  [[ $database == *:* ]] || fail "--database wants a URL like sqlite:data/daybook.db or postgres://USER@HOST/DATABASE"

  install_for_building
  build_program || fail "It did not build."
  case $database in
    sqlite:*) fill "$database" ;;
    # One that has tenants already says so, and is served as it is.
    *) "$program" demo --database "$database" || true ;;
  esac

  say "Starting Daybook on http://127.0.0.1:$port"
  exec "$program" serve --listen "127.0.0.1:$port" --database "$database"
}

# fill URL: fills a database that is not there or empty, and says who can sign in.
#
# It is made beside its place and moved there when it is whole: no half of it is ever served.
fill() {
  local file=${1#sqlite:}
  file=${file#//}
  file=${file%%\?*}
  local folder=$(dirname "$file") name=$(basename "$file")
  local sign_ins=$folder/sign-ins.txt
  # The sign-ins of the usual place are sign-ins.txt; elsewhere a folder may hold several databases.
  [[ $file == data/daybook.db ]] || sign_ins=$file.sign-ins.txt

  if [[ ! -s $file ]]; then
    say "Filling $file with a demo company"
    local making=$folder/.$name.making part
    rm -rf "$making" "$file"-{wal,shm} "$file".index{,-wal,-shm}
    mkdir -p "$making"
    # Keys outlive a database: one that is there goes on being used.
    [[ ! -e $file.key ]] || cp -p "$file.key" "$making"
    "$program" demo --database "sqlite:$making/$name" | tee "$making/sign-ins.txt" ||
      fail "The demo could not be made."
    mv "$making/sign-ins.txt" "$sign_ins"
    # The database itself last: it is what says that all is there.
    for part in "$making/$name"?*; do
      [[ ! -e $part ]] || mv "$part" "$folder"
    done
    mv "$making/$name" "$file"
    rmdir "$making"
  elif [[ -f $sign_ins ]]; then
    say "Keeping what is in $file"
    cat "$sign_ins"
  fi
}
