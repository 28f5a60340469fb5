//! Builds the guests in `plugins/` to `plugins/<name>.wasm`: finds a toolchain that can, compiles, makes components.
//!
//! The same sources and toolchain give the same bytes, wherever the target directory is: [`check_reproducible`]
//! shows it. Nothing here needs the network once a toolchain is there and the crates are fetched.

mod component;
mod toolchain;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use toolchain::Toolchain;

const TARGET: &str = "wasm32-unknown-unknown";

/// Why guests could not be built, in sentences for whoever typed the command.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

pub(crate) fn failure<T>(message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure(message.into()))
}

/// One guest: a member of the workspace in `plugins/`.
struct Guest {
    /// The folder's name, which becomes the file's and the component's.
    name: String,
    version: String,
    /// The library's name, which is the module's.
    library: String,
}

/// Builds every guest and writes the components that changed. Quick when nothing did: cargo decides.
pub(crate) fn build_plugins() -> Result<(), Failure> {
    let plugins = root().join("plugins");
    let toolchain = toolchain::find()?;
    for (guest, component) in components(&toolchain, &target_dir())? {
        let path = plugins.join(format!("{}.wasm", guest.name));
        let changed = std::fs::read(&path).ok().as_deref() != Some(component.as_slice());
        if changed {
            replace(&path, &component)?;
        }
        println!(
            "plugins/{}.wasm {} {} KiB sha256 {}{}",
            guest.name,
            guest.version,
            component.len().div_ceil(1024),
            &digest(&component)[..12],
            if changed { "" } else { " (unchanged)" }
        );
    }
    Ok(())
}

/// Runs the guests' own tests, natively: their logic does not need a sandbox.
pub(crate) fn test_native() -> Result<(), Failure> {
    let mut cargo = cargo();
    cargo
        .args(["test", "--quiet", "--locked", "--workspace", "--target-dir"])
        .arg(target_dir().with_extension("native"));
    crate::run::run(&mut cargo)
}

/// Builds every guest a second time, from nothing and elsewhere, and compares.
pub(crate) fn check_reproducible() -> Result<(), Failure> {
    let toolchain = toolchain::find()?;
    let again = target_dir().with_extension("again");
    let first = components(&toolchain, &target_dir())?;
    remove(&again)?;
    let second = components(&toolchain, &again)?;
    remove(&again)?;
    for ((guest, first), (_, second)) in first.iter().zip(&second) {
        let (first, second) = (digest(first), digest(second));
        if first != second {
            return failure(format!(
                "plugins/{}.wasm is not reproducible: sha256 {first}, then {second}, from the same sources; look for \
                 paths (--remap-path-prefix) and random seeds (CONST_RANDOM_SEED) in the build",
                guest.name
            ));
        }
        println!("plugins/{}.wasm is reproducible, sha256 {first}", guest.name);
    }
    Ok(())
}

/// Compiles all guests and makes components of them, in the order of their names.
fn components(toolchain: &Toolchain, target_dir: &Path) -> Result<Vec<(Guest, Vec<u8>)>, Failure> {
    let guests = guests()?;
    compile(toolchain, target_dir)?;
    let modules = target_dir.join(TARGET).join("release");
    let component = |guest: Guest| {
        let path = modules.join(format!("{}.wasm", guest.library));
        let module = std::fs::read(&path).or_else(|error| failure(format!("reading {}: {error}", path.display())))?;
        let component = component::from_module(&module, &guest.name, &guest.version)
            .map_err(|error| Failure(format!("plugin {}: {error}", guest.name)))?;
        Ok((guest, component))
    };
    guests.into_iter().map(component).collect()
}

fn compile(toolchain: &Toolchain, target_dir: &Path) -> Result<(), Failure> {
    let mut cargo = cargo();
    cargo.args(["build", "--quiet", "--release", "--locked", "--workspace", "--lib", "--target", TARGET]);
    cargo.arg("--target-dir").arg(target_dir);
    toolchain.apply(&mut cargo);
    // arrow's hash function takes its seed from the build's random numbers, unless it is told one.
    cargo.env("CONST_RANDOM_SEED", "loader");
    cargo.env("CARGO_ENCODED_RUSTFLAGS", rust_flags(toolchain).join("\x1f"));
    let status = cargo.status().or_else(|error| failure(format!("starting cargo: {error}")))?;
    if !status.success() {
        return failure(format!("building the plugins with {toolchain} failed: {status}; cargo says why above"));
    }
    Ok(())
}

/// Vector instructions, which wasmtime always has, and no path of this machine in panic messages.
fn rust_flags(toolchain: &Toolchain) -> Vec<String> {
    let home = std::env::home_dir().unwrap_or_default();
    let cargo_home = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let places = [(toolchain.sysroot.clone(), "/rust"), (cargo_home, "/cargo"), (root(), "/loader")];
    let remap = |(from, to): (PathBuf, &str)| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = vec!["-Ctarget-feature=+simd128".to_owned()];
    flags.extend(places.into_iter().map(remap));
    flags
}

/// The members of the guests' workspace that are built as libraries for the sandbox.
fn guests() -> Result<Vec<Guest>, Failure> {
    let output = cargo().args(["metadata", "--no-deps", "--format-version", "1", "--locked"]).output();
    let output = output.or_else(|error| failure(format!("starting cargo: {error}")))?;
    if !output.status.success() {
        return failure(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).or_else(|error| failure(format!("cargo metadata: {error}")))?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut guests: Vec<Guest> = packages.iter().filter_map(guest).collect();
    guests.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(guests)
}

fn guest(package: &serde_json::Value) -> Option<Guest> {
    let folder = Path::new(package["manifest_path"].as_str()?).parent()?;
    let is_guest = |target: &&serde_json::Value| {
        target["crate_types"].as_array().is_some_and(|types| types.iter().any(|kind| kind == "cdylib"))
    };
    let library = package["targets"].as_array()?.iter().find(is_guest)?;
    Some(Guest {
        name: folder.file_name()?.to_str()?.to_owned(),
        version: package["version"].as_str()?.to_owned(),
        library: library["name"].as_str()?.replace('-', "_"),
    })
}

/// The cargo that runs us, in the guests' workspace, so that its own `.cargo/config.toml` counts.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root().join("plugins"));
    cargo
}

/// Apart from the host's own, so that neither waits for the other or builds it anew.
fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(host) => std::path::absolute(Path::new(&host).join("guests")).unwrap_or_else(|_| host.into()),
        None => root().join("plugins/target"),
    }
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Nobody ever sees half a plugin.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let temporary = path.with_extension("wasm.new");
    std::fs::write(&temporary, bytes)
        .and_then(|()| std::fs::rename(&temporary, path))
        .or_else(|error| failure(format!("writing {}: {error}", path.display())))
}

fn remove(folder: &Path) -> Result<(), Failure> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            failure(format!("removing {}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
