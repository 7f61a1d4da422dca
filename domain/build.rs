//! Finds the data files of `profiles/`, refuses to build from a wrong one, and lists them.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io, process};

// The very types that the library reads the files with.
#[path = "src/image_format.rs"]
mod image_format;
#[path = "src/platform.rs"]
#[expect(dead_code, reason = "the library uses the rest")]
mod platform;

#[path = "src/profile/check.rs"]
mod check;
#[path = "src/profile/limits.rs"]
mod limits;
#[path = "src/profile/row.rs"]
mod row;
#[path = "src/profile/text.rs"]
#[expect(dead_code, reason = "the library uses the rest")]
mod text;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=profiles");
    let mut names = Vec::new();
    for entry in fs::read_dir("profiles")? {
        let name = entry?.file_name().into_string().unwrap_or_default();
        if name.ends_with(".json") {
            names.push(name);
        }
    }
    names.sort();
    let mut wrong = Vec::new();
    for name in &names {
        let text = fs::read_to_string(Path::new("profiles").join(name))?;
        wrong.extend(check::read(&format!("domain/profiles/{name}"), &text).err().unwrap_or_default());
    }
    if !wrong.is_empty() {
        for fault in wrong {
            println!("cargo::error={fault}");
        }
        process::exit(1);
    }
    fs::write(Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("profile_files.rs"), list(&names))
}

/// Rust that holds the text of each file.
fn list(names: &[String]) -> String {
    let mut code = format!("const FILES: [&str; {}] = [\n", names.len());
    for name in names {
        // Writing to a string does not fail.
        let _ =
            writeln!(code, r#"    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/{name}")),"#);
    }
    code.push_str("];\n");
    code
}
