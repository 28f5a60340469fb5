//! Where the stand-in's program is. In: this process's own path and the environment; out: the path
//! of `loader-local`, or an error that lists the places that were searched. Runs nothing.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::error::AttachError;

const NAME: &str = "loader-local";
const VARIABLE: &str = "LOADER_LOCAL_PROGRAM";

/// The program that serves a folder.
#[derive(Debug, Clone)]
pub enum Program {
    /// `loader-local`: the file that `LOADER_LOCAL_PROGRAM` names, when it is set; else the file
    /// beside this process's own program, or beside the folder `deps` that cargo puts tests into;
    /// else the file on PATH.
    Installed,
    /// This file.
    At(PathBuf),
}

impl Program {
    /// The file to run. The search happens at this call, so that a program which joins a running
    /// server needs no file.
    pub fn path(&self) -> Result<PathBuf, AttachError> {
        match self {
            Program::Installed => installed(&Surroundings::of_this_process()),
            Program::At(path) => Ok(path.clone()),
        }
    }
}

/// Where to look.
struct Surroundings {
    named: Option<OsString>,
    own_program: Option<PathBuf>,
    path: OsString,
}

impl Surroundings {
    fn of_this_process() -> Surroundings {
        Surroundings {
            named: std::env::var_os(VARIABLE).filter(|value| !value.is_empty()),
            own_program: std::env::current_exe().ok(),
            path: std::env::var_os("PATH").unwrap_or_default(),
        }
    }
}

// A named file is taken or refused, and nothing else is tried: a user who names a file does not
// want another version to run in silence. Relative folders of PATH, such as `.`, are skipped, as
// they would mean another program in each working folder.
fn installed(surroundings: &Surroundings) -> Result<PathBuf, AttachError> {
    if let Some(named) = &surroundings.named {
        let file = PathBuf::from(named);
        let looked = format!("{VARIABLE}, which names {}", file.display());
        return file.is_file().then_some(file).ok_or(AttachError::ProgramMissing { looked });
    }
    let beside = folders_beside(surroundings.own_program.as_deref());
    let on_path = std::env::split_paths(&surroundings.path).filter(|folder| folder.is_absolute());
    let mut programs = beside.iter().cloned().chain(on_path).map(|folder| folder.join(NAME));
    programs.find(|program| program.is_file()).ok_or_else(|| not_found(&beside))
}

fn not_found(beside: &[PathBuf]) -> AttachError {
    let folders: Vec<String> = beside.iter().map(|folder| folder.display().to_string()).collect();
    AttachError::ProgramMissing { looked: format!("{} and on PATH", folders.join(", ")) }
}

/// The folder of this process's own program, and the folder above when that is cargo's `deps`: from
/// `target/debug/deps` also `target/debug`, for example.
fn folders_beside(own_program: Option<&Path>) -> Vec<PathBuf> {
    let Some(folder) = own_program.and_then(Path::parent) else { return Vec::new() };
    let above = folder.parent().filter(|_| folder.file_name() == Some(OsStr::new("deps")));
    std::iter::once(folder).chain(above).map(Path::to_path_buf).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(surroundings: &Surroundings) -> String {
        match installed(surroundings) {
            Ok(path) => path.display().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn it_is_looked_for_beside_then_above_deps_then_on_path() {
        let root = tempfile::tempdir().expect("a folder");
        let at = |folder: &str| root.path().join(folder);
        for folder in ["debug/deps", "bin"] {
            std::fs::create_dir_all(at(folder)).expect("a folder");
        }
        let surroundings = Surroundings {
            named: None,
            own_program: Some(at("debug/deps/test-1")),
            path: at("bin").into_os_string(),
        };
        let put = |folder: &str| std::fs::write(at(folder).join(NAME), "").expect("a file");
        let message = found(&surroundings);
        for words in [
            format!(
                "looked in {}, {} and on PATH",
                at("debug/deps").display(),
                at("debug").display()
            ),
            "cargo build --package loader-local".to_owned(),
            "put it beside loader".to_owned(),
            "LOADER_LOCAL_PROGRAM".to_owned(),
        ] {
            assert!(message.contains(&words), "{message}");
        }
        for folder in ["bin", "debug", "debug/deps"] {
            put(folder);
            assert_eq!(found(&surroundings), at(folder).join(NAME).display().to_string());
        }
    }

    #[test]
    fn a_named_program_is_taken_and_no_other() {
        let root = tempfile::tempdir().expect("a folder");
        let file = root.path().join("mine");
        std::fs::write(root.path().join(NAME), "").expect("a file");
        let surroundings = Surroundings {
            named: Some(file.clone().into_os_string()),
            own_program: Some(root.path().join("loader")),
            path: OsString::new(),
        };
        let message = found(&surroundings);
        let words = format!("looked in LOADER_LOCAL_PROGRAM, which names {}", file.display());
        assert!(message.contains(&words), "{message}");
        std::fs::write(&file, "").expect("a file");
        assert_eq!(found(&surroundings), file.display().to_string());
    }
}
