//! Turns the library's body for ThreadSanitizer on for this package alone.
fn main() {
    println!("cargo::rustc-cfg=millpond_tsan");
    println!("cargo::rustc-cfg=millpond_lower");
    println!("cargo::rerun-if-changed=build.rs");
}
