# Builds what users get: first what the browser loads, then the program that holds it.

readonly program=$PWD/target/release/daybook

# All crates that run on a computer, in one selection so that they are built once for every use.
# The browser's crate wants other features of the same dependencies, and xtask has a profile of its
# own: both are built apart.
readonly everything=(--workspace --exclude frontend --exclude xtask)

build_program() {
  say "Building what the browser loads"
  cargo xtask bundle || return
  say "Building the program"
  cargo build --release --package server || return
}
