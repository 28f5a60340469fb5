//! Runs cargo, and makes components of the modules that it leaves.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::built::Built;
use crate::component;
use crate::error::{Result, failure};
use crate::toolchain::{TARGET, Toolchain};
use crate::watched;
use crate::workspace::{PluginCrate, Workspace, cargo};

/// The profile that suits plugins: small, fast, and with the names that an error about a crash
/// shows.
const PROFILE: [(&str, &str); 5] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "debuginfo"),
];

impl Workspace {
    /// Compiles plugins for release, quickly when nothing changed, and wraps them. `target_dir`:
    /// where cargo builds; None is the workspace's own. Cargo's lines go to stderr, at least one every
    /// few seconds.
    pub fn build(
        &self,
        plugins: &[PluginCrate],
        toolchain: &Toolchain,
        target_dir: Option<&Path>,
    ) -> Result<Vec<Built>> {
        let target_dir = target_dir.unwrap_or(&self.target_dir);
        let modules = target_dir.join(TARGET).join("release");
        // One by one: cargo gives the crates that plugins share the features that all plugins of a
        // call want, so a plugin's bytes would depend on which others are built with it.
        let built = plugins.iter().map(|plugin| {
            self.compile(plugin, toolchain, target_dir)?;
            component_of(plugin, &modules)
        });
        built.collect()
    }

    fn compile(
        &self,
        plugin: &PluginCrate,
        toolchain: &Toolchain,
        target_dir: &Path,
    ) -> Result<()> {
        let mut cargo = self.cargo_build(plugin, target_dir);
        toolchain.apply(&mut cargo);
        cargo.envs(PROFILE);
        // arrow's hash function takes its seed from the build's random numbers, unless it is told
        // one.
        cargo.env("CONST_RANDOM_SEED", "loader");
        cargo.env("CARGO_ENCODED_RUSTFLAGS", self.rust_flags(toolchain)?.join("\x1f"));
        let ended = watched::cargo(&mut cargo)
            .or_else(|error| failure(format!("starting cargo: {error}")))?;
        if ended.status.success() {
            return Ok(());
        }
        failure(match ended.status.code() {
            Some(_) => format!("building with {toolchain} failed; cargo's error is above"),
            None => format!("building with {toolchain}: cargo was stopped ({})", ended.status),
        })
    }

    fn cargo_build(&self, plugin: &PluginCrate, target_dir: &Path) -> Command {
        let mut cargo = cargo(&self.root);
        cargo.args(["build", "--release", "--lib", "--target", TARGET]);
        // A workspace may build its programs' dependencies for size; rows pass those of a plugin.
        cargo.args(["--config", "profile.release.package.\"*\".opt-level=3"]);
        cargo.arg("--target-dir").arg(target_dir);
        cargo.args(["--package", &plugin.package]);
        if self.locked {
            cargo.arg("--locked");
        }
        cargo
    }

    /// Vector instructions, which the host always has, and no path of this machine in panic
    /// messages. Flags of the author's environment or `.cargo/config.toml` do not count beside
    /// them.
    fn rust_flags(&self, toolchain: &Toolchain) -> Result<Vec<String>> {
        // Paths below the workspace are relative anyway; naming it here would have cargo build
        // everything anew elsewhere.
        let places = [(toolchain.sysroot(), "/rust"), (&cargo_home(), "/cargo")];
        let mut flags = vec!["-Ctarget-feature=+simd128".to_owned()];
        flags.extend(places.map(|(from, to)| remap(from, to)));
        let siblings = self.packages_outside()?;
        flags.extend(siblings.iter().map(|(name, folder)| remap(folder, &format!("/{name}"))));
        Ok(flags)
    }
}

fn remap(from: &Path, to: &str) -> String {
    format!("--remap-path-prefix={}={to}", from.display())
}

fn cargo_home() -> PathBuf {
    let home = std::env::home_dir().unwrap_or_default();
    std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from)
}

/// The component of the module that cargo left in a folder.
fn component_of(plugin: &PluginCrate, modules: &Path) -> Result<Built> {
    let path = modules.join(format!("{}.wasm", plugin.name));
    let module = std::fs::read(&path)
        .or_else(|error| failure(format!("reading {}: {error}", path.display())))?;
    let bytes = component::from_module(&module, &plugin.name, &plugin.version)
        .or_else(|error| failure(format!("plugin {}: {error}", plugin.name)))?;
    Ok(Built { name: plugin.name.clone(), version: plugin.version.clone(), bytes })
}
