//! Turns the library's shuttle build on for this package alone, with no `RUSTFLAGS` and nothing else rebuilt.
fn main() {
    println!("cargo::rustc-cfg=millpond_shuttle");
    println!("cargo::rustc-cfg=millpond_model");
    println!("cargo::rerun-if-changed=build.rs");
}
