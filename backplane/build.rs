//! Rebuilds the crate when a migration is added: they are part of the executable.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
