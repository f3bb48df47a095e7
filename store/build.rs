//! The schemas are compiled in: a change of one is a change of the program.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
