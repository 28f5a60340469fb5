//! Where PostgreSQL's programs are on this machine. In: a folder that the user named, the
//! environment; out: paths of `initdb` and `postgres` in one folder, or an error that says how to
//! install them. Runs nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::LocalError;

#[derive(Debug)]
pub(crate) struct Binaries {
    pub(crate) initdb: PathBuf,
    pub(crate) postgres: PathBuf,
}

/// Finds PostgreSQL's programs. When `named` or `LOADER_POSTGRES_BIN` is given, only that folder is
/// searched. Otherwise the first folder of PATH that has them is taken, then the newest version in
/// the folders of Debian and Homebrew, for example `/usr/lib/postgresql/17/bin`.
pub(crate) fn binaries(named: Option<&Path>) -> Result<Binaries, LocalError> {
    let variable = std::env::var_os("LOADER_POSTGRES_BIN").filter(|value| !value.is_empty());
    let named = named.map(Path::to_path_buf).or(variable.map(PathBuf::from));
    let folders = named.map_or_else(usual_folders, |folder| vec![folder]);
    search(&folders).ok_or_else(|| {
        let looked: Vec<String> =
            folders.iter().map(|folder| folder.display().to_string()).collect();
        LocalError::PostgresMissing { looked: looked.join(", ") }
    })
}

fn usual_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> =
        std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    folders.extend(versions(Path::new("/usr/lib/postgresql"), ""));
    folders.extend(versions(Path::new("/opt/homebrew/opt"), "postgresql"));
    folders.extend(versions(Path::new("/usr/local/opt"), "postgresql"));
    folders.push(PathBuf::from("/usr/local/pgsql/bin"));
    folders
}

fn search(folders: &[PathBuf]) -> Option<Binaries> {
    folders.iter().find_map(|folder| {
        // PATH may hold a link to one of several versions. Both programs must have one version, so
        // `initdb` is taken from the folder that the link leads to.
        let postgres = folder.join("postgres").canonicalize().ok()?;
        let initdb = postgres.parent()?.join("initdb");
        (postgres.is_file() && initdb.is_file()).then_some(Binaries { initdb, postgres })
    })
}

/// The folders `root/<prefix…>/bin`, the highest version first: `postgresql@17` before
/// `postgresql@9`. A name without a version (`postgresql`) counts as the highest.
fn versions(root: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(rest) = name.strip_prefix(prefix) else { continue };
        let version = match rest.trim_start_matches('@') {
            "" => u32::MAX,
            number => match number.parse() {
                Ok(number) => number,
                Err(_) => continue,
            },
        };
        found.insert(version, entry.path().join("bin"));
    }
    found.into_values().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        let root = tempfile::tempdir().unwrap();
        for name in ["9", "17", "15", "common"] {
            std::fs::create_dir_all(root.path().join(name).join("bin")).unwrap();
        }
        let names: Vec<_> = versions(root.path(), "")
            .into_iter()
            .map(|path| path.strip_prefix(root.path()).unwrap().to_owned())
            .collect();
        assert_eq!(names, ["17/bin", "15/bin", "9/bin"].map(PathBuf::from));
    }

    #[test]
    fn a_folder_needs_both_programs_and_links_are_followed() {
        let root = tempfile::tempdir().unwrap();
        let (real, links) = (root.path().join("real"), root.path().join("links"));
        for folder in [&real, &links] {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(real.join("postgres"), "").unwrap();
        std::os::unix::fs::symlink(real.join("postgres"), links.join("postgres")).unwrap();
        assert!(search(std::slice::from_ref(&links)).is_none());
        std::fs::write(real.join("initdb"), "").unwrap();
        let found = search(&[links]).unwrap();
        assert_eq!(found.initdb, real.canonicalize().unwrap().join("initdb"));
    }

    #[test]
    fn none_found_says_how_to_install_it() {
        let root = tempfile::tempdir().unwrap();
        let message = binaries(Some(root.path())).unwrap_err().to_string();
        assert!(
            message.contains("apt-get install postgresql")
                && message.contains("brew install postgresql"),
            "{message}"
        );
        assert!(message.contains(&root.path().display().to_string()), "{message}");
    }
}
