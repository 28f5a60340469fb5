//! What the demo and the tests need beside cargo and a C compiler: PostgreSQL's programs, and
//! Python with boto3.
//!
//! Found when there, installed by apt or pip when that is possible, else an error that says what to
//! do.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, failure};
use crate::run::{output, run, succeeds, target};

/// Everything that the tests need; gives the Python to use.
pub(crate) fn all() -> Result<PathBuf, Failure> {
    postgres()?;
    python(&["boto3"])
}

/// PostgreSQL's programs, for the stand-in. No server of the system's own is used.
pub(crate) fn postgres() -> Result<(), Failure> {
    if has_postgres() {
        return Ok(());
    }
    // Debian starts a cluster of its own on installing. The tests do not need it, and it does no
    // harm.
    apt(&["postgresql"])?;
    if has_postgres() {
        return Ok(());
    }
    failure(
        "PostgreSQL is not installed; install it (Debian: apt-get install postgresql; macOS: brew \
         install postgresql) or name its folder of programs in LOADER_POSTGRES_BIN",
    )
}

fn has_postgres() -> bool {
    let on_path = succeeds("postgres", &["--version"]) && succeeds("initdb", &["--version"]);
    let given = std::env::var_os("LOADER_POSTGRES_BIN")
        .is_some_and(|dir| Path::new(&dir).join("initdb").exists());
    on_path || given || has_debians_postgres() || has_homebrews_postgres()
}

/// Debian keeps the programs of each version in a folder of its own, off the path.
fn has_debians_postgres() -> bool {
    entries("/usr/lib/postgresql").any(|version| version.join("bin/initdb").exists())
}

/// Homebrew puts no version on the path when it was installed by its number (`postgresql@17`).
fn has_homebrews_postgres() -> bool {
    let packages = ["/opt/homebrew/opt", "/usr/local/opt"].into_iter().flat_map(entries);
    packages
        .filter(|package| package.to_string_lossy().contains("/postgresql"))
        .any(|package| package.join("bin/initdb").exists())
}

/// What a folder contains: nothing when it is not there.
fn entries(folder: &str) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// A Python that can import these packages: the system's, or a virtual environment in the target
/// folder.
pub(crate) fn python(packages: &[&str]) -> Result<PathBuf, Failure> {
    let imports = format!("import {}", packages.join(", "));
    let system = PathBuf::from("python3");
    if succeeds(&system, &["-c", &imports]) {
        return Ok(system);
    }
    if !succeeds(&system, &["-c", "import venv, ensurepip"]) {
        apt(&["python3", "python3-venv"])?;
    }
    let venv = target().join("venv");
    let python = venv.join("bin/python");
    if succeeds(&python, &["-c", &imports]) {
        return Ok(python);
    }
    run(Command::new(&system).args(["-m", "venv"]).arg(&venv))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(packages))?;
    Ok(python)
}

/// Installs Debian packages, when this is Debian and we may.
fn apt(packages: &[&str]) -> Result<(), Failure> {
    let names = packages.join(" ");
    if !succeeds("apt-get", &["--version"]) {
        return failure(format!(
            "{names} must be installed, and there is no apt-get; install what your system calls so"
        ));
    }
    if !is_root()? {
        return failure(format!("{names} must be installed: sudo apt-get install {names}"));
    }
    eprintln!("installing {names}");
    let apt = |arguments: &[&str]| {
        run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "-qq"])?;
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(packages);
    apt(&install)
}

fn is_root() -> Result<bool, Failure> {
    Ok(succeeds("id", &["-u"]) && output(Command::new("id").arg("-u"))?.trim() == "0")
}
