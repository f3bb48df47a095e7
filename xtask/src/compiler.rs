//! Which compiler builds for the browser.

use crate::Result;
use std::{fs, path::Path, process::Command};

/// What the browser's part is built for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler that has the standard library for [`TARGET`].
pub enum Compiler {
    /// The one that `cargo` uses anyway.
    Usual,
    /// Debian's, beside a usual one that could not get the target. It is called by its paths: rustup
    /// puts its own programs before it.
    Debian,
}

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_CLIPPY: &str = "/usr/bin/cargo-clippy";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

impl Compiler {
    /// The usual compiler if it has the target, else Debian's.
    ///
    /// # Errors
    /// When neither has the target.
    pub fn find() -> Result<Self> {
        [Self::Usual, Self::Debian]
            .into_iter()
            .find(|compiler| compiler.has_target().unwrap_or(false))
            .ok_or_else(|| {
                format!("no compiler here builds for {TARGET}: `./dev setup` installs one").into()
            })
    }

    /// A subcommand of cargo that uses this compiler when given [`TARGET`].
    pub fn cargo(&self, subcommand: &str) -> Command {
        let mut command = match (self, subcommand) {
            (Self::Usual, _) => Command::new("cargo"),
            // Cargo would take the one in `~/.cargo/bin`, which belongs to another compiler.
            (Self::Debian, "clippy") => Command::new(DEBIAN_CLIPPY),
            (Self::Debian, _) => Command::new(DEBIAN_CARGO),
        };
        command.arg(subcommand);
        if let Self::Debian = self {
            command
                .env("CARGO", DEBIAN_CARGO)
                .env("RUSTC", DEBIAN_RUSTC)
                .env_remove("RUSTUP_TOOLCHAIN");
        }
        // Debian's compilers bring no linker of their own.
        if let Some(linker) = self.debian_linker() {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        command
    }

    /// Version, commit and LLVM of the compiler, as it says them itself.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn version(&self) -> Result<String> {
        self.says(&["-vV"])
    }

    fn has_target(&self) -> Result<bool> {
        let folder = self.says(&["--print", "target-libdir", "--target", TARGET])?;
        let has_core = fs::read_dir(folder.trim())?
            .filter_map(std::result::Result::ok)
            .any(|file| file.file_name().to_string_lossy().starts_with("libcore-"));
        Ok(has_core)
    }

    /// `/usr/bin/wasm-ld-N`, N being the version of LLVM that the compiler is made with.
    fn debian_linker(&self) -> Option<String> {
        let sysroot = self.says(&["--print", "sysroot"]).ok()?;
        let version = self.version().ok()?;
        let llvm = version
            .lines()
            .find_map(|line| line.strip_prefix("LLVM version: "))?
            .split('.')
            .next()?;
        let linker = format!("/usr/bin/wasm-ld-{llvm}");
        (sysroot.trim() == "/usr" && Path::new(&linker).exists()).then_some(linker)
    }

    fn says(&self, arguments: &[&str]) -> Result<String> {
        let mut command = match self {
            Self::Usual => Command::new("rustc"),
            Self::Debian => Command::new(DEBIAN_RUSTC),
        };
        let output = command.args(arguments).output()?;
        if output.status.success() {
            Ok(String::from_utf8(output.stdout)?)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into())
        }
    }
}
