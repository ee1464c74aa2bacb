//! Turns the library's loom build on for this package alone, with no `RUSTFLAGS` and nothing else rebuilt.
fn main() {
    println!("cargo::rustc-cfg=millpond_loom");
    println!("cargo::rustc-cfg=millpond_model");
    println!("cargo::rustc-cfg=millpond_lower");
    println!("cargo::rerun-if-changed=build.rs");
}
