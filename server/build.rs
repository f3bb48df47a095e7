//! Puts what `cargo xtask` made for the browser into the program.

use std::{env, error::Error, fmt::Write, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    // Asked when it runs, not when it was compiled: a folder of built things may serve two checkouts.
    let site = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../target/site");
    println!("cargo::rerun-if-changed={}", site.display());

    let mut names = Vec::new();
    for entry in fs::read_dir(&site).into_iter().flatten() {
        let path = entry?.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        let name = path.file_name().and_then(|name| name.to_str());
        if !matches!(ending, Some("br" | "gz")) {
            names.push(name.ok_or("a file's name is no text")?.to_owned());
        }
    }
    names.sort();
    if names.is_empty() {
        println!(
            "cargo::warning=no bundle yet (run `cargo xtask bundle`): pages will work without style and \
             script"
        );
    }

    let mut code = String::from("static FILES: &[File] = &[\n");
    for name in &names {
        let file = site.join(name);
        let file = file.to_str().ok_or("the path of the bundle is no text")?;
        let [plain, brotli, gzip] = ["", ".br", ".gz"].map(|ending| format!("{file}{ending}"));
        writeln!(
            code,
            "File {{ name: {name:?}, plain: include_bytes!({plain:?}), \
             brotli: include_bytes!({brotli:?}), gzip: include_bytes!({gzip:?}) }},",
        )?;
    }
    code.push_str("];\n");
    for (constant, about, ending) in [
        ("CSS", "style sheet", ".css"),
        ("JS", "loader", ".js"),
        ("WASM", "WebAssembly", ".wasm"),
    ] {
        let path = names
            .iter()
            .find(|name| name.ends_with(ending))
            .map(|name| format!("/pkg/{name}"));
        writeln!(
            code,
            "/// Where the {about} is, if it was made before the program.\n\
             pub const {constant}: Option<&str> = {path:?};"
        )?;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("files.rs"), code)?;
    Ok(())
}
