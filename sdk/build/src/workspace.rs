//! The plugin crates of a workspace, as cargo tells.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::error::{Result, failure};

/// A cargo workspace, or a crate of its own.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Where its manifest is.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target_dir: PathBuf,
    /// The members that are plugins, by name.
    pub plugins: Vec<PluginCrate>,
    pub(crate) locked: bool,
}

/// One plugin's crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginCrate {
    /// Name of its library, which is what the component calls itself.
    pub name: String,
    /// Name of the package, which is what cargo calls it.
    pub package: String,
    /// Version of the package.
    pub version: String,
    /// Where its manifest is.
    pub folder: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
    /// None: a path.
    source: Option<String>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

impl Workspace {
    /// Asks cargo about the workspace that `folder` belongs to. Errors: no cargo, no manifest, a
    /// broken one.
    pub fn read(folder: &Path) -> Result<Workspace> {
        let metadata = metadata(folder, &["--no-deps"])?;
        let mut plugins: Vec<PluginCrate> =
            metadata.packages.into_iter().filter_map(plugin).collect();
        plugins.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Workspace {
            root: metadata.workspace_root,
            target_dir: metadata.target_directory,
            plugins,
            locked: false,
        })
    }

    /// Path dependencies that are not members, such as an SDK beside the workspace, by name and
    /// folder.
    pub(crate) fn packages_outside(&self) -> Result<Vec<(String, PathBuf)>> {
        let metadata = metadata(&self.root, &[])?;
        let local = metadata.packages.into_iter().filter(|package| package.source.is_none());
        let folders = local.filter_map(|package| {
            Some((package.name, package.manifest_path.parent()?.to_path_buf()))
        });
        Ok(folders.filter(|(_, folder)| !folder.starts_with(&self.root)).collect())
    }

    /// Insists on the lock file as it is, as a build whose digest matters must.
    #[must_use]
    pub fn locked(self) -> Workspace {
        Workspace { locked: true, ..self }
    }

    /// The plugin whose manifest is in `folder`. Error: there is none, or it is no plugin.
    pub fn plugin_in(&self, folder: &Path) -> Result<PluginCrate> {
        let wanted = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        match self.plugins.iter().find(|plugin| plugin.folder == wanted) {
            Some(plugin) => Ok(plugin.clone()),
            None => failure(format!(
                "{} is no plugin crate: its Cargo.toml needs `[lib]` with crate-type = \
                 [\"cdylib\", \"rlib\"]; `loader plugin new NAME` makes one",
                folder.display()
            )),
        }
    }
}

fn metadata(folder: &Path, more: &[&str]) -> Result<Metadata> {
    let mut cargo = cargo(folder);
    cargo.args(["metadata", "--format-version", "1"]).args(more).stdin(Stdio::null());
    let output = cargo.output().or_else(|error| {
        failure(format!(
            "cargo does not start in {}: {error}; plugins in Rust are built by cargo",
            folder.display()
        ))
    })?;
    if !output.status.success() {
        return failure(
            String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("error: "),
        );
    }
    serde_json::from_slice(&output.stdout)
        .or_else(|error| failure(format!("cargo metadata: {error}")))
}

fn plugin(package: Package) -> Option<PluginCrate> {
    let library = package
        .targets
        .into_iter()
        .find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))?;
    let folder = package.manifest_path.parent()?;
    Some(PluginCrate {
        name: library.name.replace('-', "_"),
        package: package.name,
        version: package.version,
        folder: folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf()),
    })
}

/// The cargo that runs this program, or else the first on the path, in a folder.
pub(crate) fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugins_of_a_workspace_are_found() {
        let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
        let workspace = Workspace::read(&plugins.join("default")).expect("a workspace");
        let names: Vec<&str> =
            workspace.plugins.iter().map(|plugin| plugin.name.as_str()).collect();
        assert!(names.contains(&"default") && names.contains(&"hostile"), "{names:?}");
        assert_eq!(
            workspace.plugin_in(&plugins.join("default")).expect("a plugin").package,
            "default-plugin"
        );
    }

    #[test]
    fn what_is_no_plugin_says_so() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = Workspace::read(here).expect("a workspace");
        let error = workspace.plugin_in(here).expect_err("is no plugin").to_string();
        assert!(error.contains("is no plugin crate: its Cargo.toml needs"), "{error}");
        let empty = std::env::temp_dir();
        let error = Workspace::read(&empty).expect_err("no manifest").to_string();
        assert!(error.contains("could not find `Cargo.toml`"), "{error}");
    }
}
