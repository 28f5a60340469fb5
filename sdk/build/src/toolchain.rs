//! What compiles Rust to `wasm32-unknown-unknown`: finding it, installing it.
//!
//! In this order: the target of the toolchain at hand; Debian's compiler with its sources, when
//! both are there already; `rustup target add`; Debian's packages by apt. Only `cargo xtask setup`
//! goes as far as apt. A toolchain that is there is found without the network.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Result, failure};
use crate::watched;

/// What plugins are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];

/// A way to compile plugins.
#[derive(Clone, Debug)]
pub struct Toolchain {
    compiler: Compiler,
    sysroot: PathBuf,
}

#[derive(Clone, Debug)]
enum Compiler {
    /// The target is installed beside the host's.
    Installed,
    /// Debian's compiler builds the standard library too.
    Debian { linker: PathBuf },
}

impl fmt::Display for Toolchain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.compiler {
            Compiler::Installed => write!(formatter, "the installed target {TARGET}"),
            Compiler::Debian { .. } => write!(formatter, "{DEBIAN_RUSTC} and its sources"),
        }
    }
}

impl Toolchain {
    /// Finds a toolchain that is there, and installs nothing. Error: what to install.
    pub fn present() -> Result<Toolchain> {
        let nothing = || {
            failure(format!(
                "no toolchain here builds plugins for {TARGET}: `rustup target add {TARGET}` \
                 brings one, or `loader plugin build`"
            ))
        };
        installed().or_else(debian).map_or_else(nothing, Ok)
    }

    /// Finds a toolchain, or has rustup add the target to the one at hand. Error: what was tried,
    /// what came of it, and what to install.
    pub fn add() -> Result<Toolchain> {
        if let Some(toolchain) = installed().or_else(debian) {
            return Ok(toolchain);
        }
        let rustup = add_target();
        let apt = "not tried, `loader` installs no packages of the system";
        installed().map_or_else(|| failure(nothing_found(&rustup, apt)), Ok)
    }

    /// Finds a toolchain, or installs one: the target by rustup, or Debian's packages by apt, which
    /// takes root. Error: what was tried, what came of it, and what to install.
    pub fn install() -> Result<Toolchain> {
        if let Some(toolchain) = installed().or_else(debian) {
            return Ok(toolchain);
        }
        let rustup = add_target();
        if let Some(toolchain) = installed() {
            return Ok(toolchain);
        }
        let apt = install_packages();
        debian().map_or_else(|| failure(nothing_found(&rustup, &apt)), Ok)
    }

    /// What decides the bytes of a plugin beside its sources: the compiler's version, and whether
    /// it compiles the standard library too.
    pub fn compiler(&self) -> String {
        let (rustc, library) = match self.compiler {
            Compiler::Installed => (installed_rustc(), ""),
            Compiler::Debian { .. } => (DEBIAN_RUSTC.into(), ", and the standard library with it"),
        };
        let version = printed(Path::new(&rustc), &["--version"]).unwrap_or_default();
        format!("{}{library}", version.display())
    }

    pub(crate) fn sysroot(&self) -> &Path {
        &self.sysroot
    }

    /// Makes a `cargo build` use it.
    pub(crate) fn apply(&self, cargo: &mut Command) {
        if let Compiler::Debian { linker } = &self.compiler {
            cargo.arg("-Zbuild-std=std,panic_abort");
            // Building the standard library is an unstable feature of cargo; this lets a stable one
            // do it.
            cargo.env("RUSTC_BOOTSTRAP", "1");
            cargo.env("RUSTC", DEBIAN_RUSTC);
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
    }
}

fn nothing_found(rustup: &str, apt: &str) -> String {
    let packages = DEBIAN_PACKAGES.join(" ");
    format!(
        "no toolchain can build plugins for {TARGET}\n  rustup target add {TARGET}: {rustup}\n  \
         apt-get install {packages}: {apt}\ninstall one of the two and run this again"
    )
}

fn installed_rustc() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

fn installed() -> Option<Toolchain> {
    let rustc = installed_rustc();
    let library = printed(Path::new(&rustc), &["--print", "target-libdir", "--target", TARGET])?;
    let has_core =
        |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with("libcore-");
    std::fs::read_dir(&library).ok()?.flatten().any(has_core).then_some(())?;
    let sysroot = printed(Path::new(&rustc), &["--print", "sysroot"])?;
    Some(Toolchain { compiler: Compiler::Installed, sysroot })
}

fn debian() -> Option<Toolchain> {
    let sysroot = printed(Path::new(DEBIAN_RUSTC), &["--print", "sysroot"])?;
    if !sysroot.join("lib/rustlib/src/rust/library/std").is_dir() {
        return None;
    }
    let other = printed(Path::new("rustc"), &["--print", "sysroot"]);
    let linker = linker([Some(&sysroot), other.as_ref()].into_iter().flatten())?;
    Some(Toolchain { compiler: Compiler::Debian { linker }, sysroot })
}

/// `rust-lld`, which comes with most toolchains, or LLVM's own `wasm-ld`.
fn linker<'a>(sysroots: impl Iterator<Item = &'a PathBuf>) -> Option<PathBuf> {
    let hosts = sysroots.filter_map(|sysroot| std::fs::read_dir(sysroot.join("lib/rustlib")).ok());
    let bundled = hosts.flatten().flatten().map(|host| host.path().join("bin/rust-lld"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let separate =
        std::env::split_paths(&path).map(|folder| folder.join("wasm-ld")).collect::<Vec<_>>();
    bundled.chain(separate).find(|linker| linker.is_file())
}

/// Says what came of it, for the error that follows when it was not enough.
fn add_target() -> String {
    outcome(
        &format!("adding the target {TARGET} by rustup"),
        Command::new("rustup").args(["target", "add", TARGET]),
    )
}

fn install_packages() -> String {
    if !Path::new("/etc/debian_version").exists() {
        return "this is not Debian".to_owned();
    }
    if printed(Path::new("id"), &["-u"]).as_deref() != Some(Path::new("0")) {
        return "not tried, it takes root".to_owned();
    }
    let packages = DEBIAN_PACKAGES.join(" and ");
    let apt = |what: &str, arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        outcome(what, apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
    };
    let install = || {
        let arguments = [["install", "-y", "--no-install-recommends"].as_slice(), &DEBIAN_PACKAGES];
        apt(&format!("installing {packages} by apt, to build plugins"), &arguments.concat())
    };
    let first = install();
    if first == DONE {
        return first;
    }
    // The list of packages can be older than the packages: apt then asks for files that are gone.
    apt("updating apt's list of packages", &["update"]);
    install()
}

const DONE: &str = "done, but it is still not enough";

/// Runs a command; the last line of what it had to say when it failed.
fn outcome(what: &str, command: &mut Command) -> String {
    match watched::quietly(what, command) {
        Err(error) => error.to_string(),
        Ok(ended) if ended.status.success() => DONE.to_owned(),
        Ok(ended) => ended
            .last_lines
            .last()
            .map_or_else(|| ended.status.to_string(), |line| line.trim().to_owned()),
    }
}

/// The one line that a program prints, as a path; None when it cannot.
fn printed(program: &Path, arguments: &[&str]) -> Option<PathBuf> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(line.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_says_what_was_tried_and_what_to_install() {
        let message = nothing_found("could not download", "not tried, it takes root");
        let expected = "no toolchain can build plugins for wasm32-unknown-unknown\n  \
             rustup target add wasm32-unknown-unknown: could not download\n  \
             apt-get install rustc-web rust-web-src: not tried, it takes root\n\
             install one of the two and run this again";
        assert_eq!(message, expected);
    }

    #[test]
    fn a_failed_command_is_told_by_its_last_line() {
        let sh = |script| outcome("trying", Command::new("sh").args(["-c", script]));
        assert_eq!(sh("echo first >&2; echo 'error: last' >&2; exit 3"), "error: last");
        assert_eq!(sh("exit 3"), "exit status: 3");
        assert_eq!(sh("true"), DONE);
    }
}
