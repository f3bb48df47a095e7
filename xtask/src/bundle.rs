//! What the browser loads: the style sheet, the WebAssembly and the JavaScript that starts it, under
//! names that carry a hash of their content, each with a brotli and a gzip of it beside it.

use crate::{Result, compiler, compiler::Compiler, inputs, run, style};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    path::Path,
    process::Command,
};
use wasm_bindgen_cli_support::Bindgen;

/// Its own target directory: it does not wait for a build of the server, nor a server for it.
pub const TARGET_DIR: &str = "target/browser";
/// Where the result lies, and nothing else: the server takes in all that is here.
const SITE: &str = "target/site";
/// The hash of what the result was made from.
const STAMP: &str = "target/site.made-from";
const WORK: &str = "target/browser/bindgen";
const WASM_OPT: &str = "node_modules/.bin/wasm-opt";

/// What the bundle is for.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    /// For users: as small as it can be.
    Small,
    /// For trying things: as quickly built as it can be.
    Quick,
}

/// Makes the bundle, unless what it is made from is the same as last time.
///
/// # Errors
/// When a step fails: no compiler, code that does not compile, a missing tool, a style sheet that
/// cannot be read.
pub fn build(kind: Kind) -> Result<()> {
    let compiler = Compiler::find()?;
    let kind_name = match kind {
        Kind::Small => "small",
        Kind::Quick => "quick",
    };
    let made_from = inputs::hash(&[kind_name, &compiler.version()?])?;
    if fs::read_to_string(STAMP).is_ok_and(|stamp| stamp == made_from) && Path::new(SITE).is_dir() {
        println!("target/site is up to date");
        return Ok(());
    }

    // Until it is all there, it is made from nothing in particular.
    remove(Path::new(STAMP))?;
    let style = style::sheet(Path::new("style/app.css"))?;
    compile(kind, &compiler)?;
    publish(
        kind,
        &[
            ("css", style.into_bytes()),
            ("js", fs::read(format!("{WORK}/app.js"))?),
            ("wasm", fs::read(format!("{WORK}/app_bg.wasm"))?),
        ],
    )?;
    fs::write(STAMP, made_from)?;
    Ok(())
}

/// From Rust to `app_bg.wasm` and `app.js` in [`WORK`].
fn compile(kind: Kind, compiler: &Compiler) -> Result<()> {
    let (profile, folder) = match kind {
        Kind::Small => ("bundle", "bundle"),
        Kind::Quick => ("dev", "debug"),
    };
    run(compiler
        .cargo("build")
        .args(["--package", "frontend", "--profile", profile])
        .args(["--target", compiler::TARGET, "--target-dir", TARGET_DIR]))?;

    // The library, not the program of the same name: its version is the one in Cargo.lock, which is
    // that of the `wasm-bindgen` in the WebAssembly.
    remove(Path::new(WORK))?;
    Bindgen::new()
        .input_path(format!(
            "{TARGET_DIR}/{}/{folder}/frontend.wasm",
            compiler::TARGET
        ))
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(kind == Kind::Small)
        .remove_producers_section(true)
        .out_name("app")
        .generate(WORK)?;
    if Path::new(WORK).join("snippets").exists() {
        return Err("a crate brought its own JavaScript: give it a hashed name too".into());
    }

    if kind == Kind::Small {
        let wasm = format!("{WORK}/app_bg.wasm");
        // Never `--all-features`: it writes encodings that no browser reads yet.
        run(Command::new(WASM_OPT)
            .args(["-Oz", "--enable-bulk-memory", "--enable-mutable-globals"])
            .args(["--enable-sign-ext", "--enable-nontrapping-float-to-int"])
            .args(["--enable-reference-types", "--enable-multivalue"])
            .args([&wasm, "-o", &wasm]))?;
    }
    Ok(())
}

/// Leaves in [`SITE`] exactly these files, given as ending and content, and their compressed forms.
/// What is there already is not touched, so that the server is not built again for nothing.
fn publish(kind: Kind, files: &[(&str, Vec<u8>)]) -> Result<()> {
    fs::create_dir_all(SITE)?;
    let mut wanted = BTreeSet::new();
    for (ending, bytes) in files {
        let hash = inputs::hexadecimal(&Sha256::digest(bytes)[..8]);
        let name = format!("app.{hash}.{ending}");
        let brotli = brotli(kind, bytes)?;
        let gzip = gzip(kind, bytes)?;
        println!(
            "{name}: {} bytes, gzip {}, brotli {}",
            bytes.len(),
            gzip.len(),
            brotli.len()
        );
        for (name, bytes) in [
            (format!("{name}.br"), &brotli),
            (format!("{name}.gz"), &gzip),
            (name, bytes),
        ] {
            let path = Path::new(SITE).join(&name);
            if fs::read(&path).ok().as_ref() != Some(bytes) {
                fs::write(path, bytes)?;
            }
            wanted.insert(name);
        }
    }
    for entry in fs::read_dir(SITE)? {
        let entry = entry?;
        if !wanted.contains(&*entry.file_name().to_string_lossy()) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn brotli(kind: Kind, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let quality = if kind == Kind::Small { 11 } else { 1 };
    let mut compressed = Vec::new();
    brotli::CompressorWriter::new(&mut compressed, 4096, quality, 24).write_all(bytes)?;
    Ok(compressed)
}

fn gzip(kind: Kind, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let level = if kind == Kind::Small { 9 } else { 1 };
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn remove(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        fs::remove_dir_all(path)
    } else if path.exists() {
        fs::remove_file(path)
    } else {
        Ok(())
    }
}
