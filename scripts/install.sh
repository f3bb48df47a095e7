# Installs what is missing, and nothing that is there. A second run only looks.
#
# On Debian, as root, everything comes by itself. Elsewhere it says what to install.

readonly browser_target=wasm32-unknown-unknown
# Under this, Debian's compiler keeps the standard library for the browser once it is built.
readonly debian_browser_library=/usr/lib/rustlib/$browser_target/lib

install_for_building() {
  install_c_compiler
  install_rust
  install_browser_target
  install_node
}

install_for_testing() {
  install_for_building
  install_rust_checks
  install_postgres
  install_chromium
  install_readers
  install_proof_checkers
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# debian PACKAGE…: installs Debian packages, those that are missing.
debian() {
  local missing=() package
  for package in "$@"; do
    [[ $(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  has apt-get || fail "Please install, by the means of your system: ${missing[*]}, then try again."
  ((EUID == 0)) || fail "Missing: ${missing[*]}. Please run, then try again:

    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"

  say "Installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  if [[ ! ${package_lists_are_new-} ]]; then
    quietly apt.log apt-get update || fail "apt-get update failed."
    package_lists_are_new=yes
  fi
  # Never at the price of something that is there: Debian's compilers exclude each other.
  quietly apt.log apt-get install -y --no-install-recommends --no-remove "${missing[@]}" ||
    fail "apt-get could not install ${missing[*]}."
}

# For linking, and for SQLite, which is built in.
install_c_compiler() {
  has cc && has ar || debian gcc libc6-dev
}

# Any toolchain that is new enough; else Debian's, which it keeps current for its browsers.
install_rust() {
  # rustup's installer leaves its folder out of the shells that are open.
  [[ -d ${CARGO_HOME:-$HOME/.cargo}/bin ]] && PATH+=:${CARGO_HOME:-$HOME/.cargo}/bin
  rust_will_do && return
  debian rustc-web cargo-web ca-certificates
  PATH=/usr/bin:$PATH
  unset RUSTC CARGO RUSTUP_TOOLCHAIN
  rust_will_do || fail "Rust $(wanted_rust) or newer is wanted; here is $(rustc --version 2>&1)."
}

wanted_rust() {
  sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml
}

rust_will_do() {
  local version
  version=$(rustc --version 2>/dev/null | cut -d' ' -f2) && [[ $version ]] || return 1
  cargo --version >/dev/null 2>&1 || return 1
  printf '%s\n' "$(wanted_rust)" "$version" | sort --version-sort --check=quiet
}

install_rust_checks() {
  # What compiles the browser's part has to check it too.
  has_browser_target rustc || debian rust-web-clippy
  cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
  if [[ $(command -v cargo) == /usr/bin/cargo ]]; then
    debian rustfmt-web rust-web-clippy
  else
    say "Installing rustfmt and clippy"
    quietly rustup.log timeout 120 rustup component add rustfmt clippy ||
      fail "Please install rustfmt and clippy for $(rustc --version), then try again."
  fi
}

# has_browser_target RUSTC: whether that compiler has the standard library for the browser.
has_browser_target() {
  compgen -G "$("$1" --print target-libdir --target $browser_target)/libcore-*.rlib" >/dev/null
}

# The way that works is the one that `cargo xtask` finds: the usual compiler if it has the target,
# else Debian's.
install_browser_target() {
  if [[ $(command -v rustc) != /usr/bin/rustc ]]; then
    has_browser_target rustc && return
    say "Asking rustup for $browser_target"
    has rustup && quietly rustup.log timeout 60 rustup target add $browser_target &&
      has_browser_target rustc && return
    say "rustup did not bring it: taking Debian's compiler for the browser's part"
  fi
  build_debian_browser_target
}

# Debian has the sources of the standard library, but not built for the browser.
build_debian_browser_target() {
  local stamp=$debian_browser_library/built-by
  [[ -f $stamp && $(<"$stamp") == "$(/usr/bin/rustc -vV)" ]] && return

  debian rustc-web cargo-web rust-web-src ca-certificates
  debian "lld-$(/usr/bin/rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')"
  ((EUID == 0)) || fail "Only root can build the standard library for the browser into
$debian_browser_library. Please run once: sudo ./dev setup"

  say "Building the standard library for the browser, once"
  local folder
  folder=$(mktemp -d)
  mkdir "$folder/src"
  touch "$folder/src/lib.rs"
  printf '[package]\nname = "empty"\nedition = "2024"\n' >"$folder/Cargo.toml"
  # Without embed-bitcode, `lto = true` later misses a section.
  quietly standard-library.log env --chdir="$folder" -u CARGO_TARGET_DIR -u RUSTUP_TOOLCHAIN \
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes \
    /usr/bin/cargo build --release -Zbuild-std=std,panic_abort --target $browser_target ||
    fail "The standard library for the browser did not build."
  rm -rf "$debian_browser_library"
  mkdir -p "$debian_browser_library"
  cp "$folder/target/$browser_target/release/deps/"*.rlib "$debian_browser_library"
  rm -r "$debian_browser_library"/libempty-*.rlib "$folder"
  /usr/bin/rustc -vV >"$stamp"
  # cargo does not notice that the library is another one.
  rm -rf target/browser
}

# What exports are read back with.
install_readers() {
  has python3 || debian python3
  has jq || debian jq
}

# Libraries of others that proofs are checked with, in a place of their own.
install_proof_checkers() {
  export DAYBOOK_TEST_PYTHON=$PWD/target/python/bin/python
  install_python server/tests/python/requirements.txt target/python "what proofs are checked with"
}

# ClickHouse, which pages are measured beside; it takes half a gigabyte.
install_clickhouse() {
  export DAYBOOK_BENCH_PYTHON=$PWD/target/clickhouse/bin/python
  install_python bench/clickhouse/requirements.txt target/clickhouse "ClickHouse, to measure beside"
}

# install_python WANTED PLACE WHAT: a Python in a place of its own, with what a file names.
install_python() {
  local wanted=$1 place=$2
  cmp --quiet "$wanted" "$place/installed" && "$place/bin/python" --version >/dev/null 2>&1 && return
  has python3 || debian python3
  python3 -c 'import ensurepip, venv' 2>/dev/null || debian python3-venv
  say "Installing $3"
  rm -rf "$place"
  quietly python.log python3 -m venv "$place" &&
    quietly python.log "$place/bin/python" -m pip install --no-deps --only-binary :all: \
      --disable-pip-version-check --requirement "$wanted" ||
    fail "pip could not install what $wanted names."
  cp "$wanted" "$place/installed"
}

# For wasm-opt and the browser tests.
install_node() {
  local version=0
  has node && version=$(node --print 'parseInt(process.versions.node)')
  if ((version < 18)) || ! has npm; then
    debian nodejs npm ca-certificates
  fi
  cmp --quiet package-lock.json node_modules/.installed && return
  say "Installing wasm-opt and Playwright"
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 quietly npm.log npm ci --no-audit --no-fund ||
    fail "npm could not install what package-lock.json names."
  cp package-lock.json node_modules/.installed
}

install_chromium() {
  if [[ ! ${CHROMIUM-} ]]; then
    CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
      { debian chromium && CHROMIUM=/usr/bin/chromium; }
  fi
  export CHROMIUM
}
