//! Packs what the program tells of keys, which stands in the page of the reference: a quarter of
//! its bytes, in a program where each counts.

use miniz_oxide::deflate::compress_to_vec;
use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=docs/reference.md");
    let page = fs::read_to_string("docs/reference.md")?;
    let told = page.lines().filter(|line| is_told(line));
    let told: String = told.flat_map(|line| [line, "\n"]).collect();
    let folder = env::var_os("OUT_DIR").ok_or("no OUT_DIR")?;
    let packed = compress_to_vec(told.as_bytes(), 10);
    Ok(fs::write(Path::new(&folder).join("reference"), packed)?)
}

/// A heading, or a key with what it means.
fn is_told(line: &str) -> bool {
    line.starts_with("## ") || line.starts_with("| `")
}
