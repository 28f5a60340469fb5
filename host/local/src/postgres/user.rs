//! The user that runs PostgreSQL. PostgreSQL refuses to run as root, so a server that root has
//! started runs it as an unprivileged user, such as `postgres`, and gives that user the data. In:
//! the server's own user id and the user list of the system; out: ids for child processes, and
//! folders that this user can reach.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::error::LocalError;

/// The unprivileged user that PostgreSQL runs as when the server runs as root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The beginning of the name of every socket folder, so that a left-over folder is recognised.
const SOCKET_DIR_PREFIX: &str = "loader-pg-";

/// The user for PostgreSQL; `None` when it runs as the server's own user.
pub(crate) fn database_user() -> Result<Option<User>, LocalError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let path = Path::new("/etc/passwd");
    let users = fs::read_to_string(path)
        .map_err(LocalError::file(path, "look for an unprivileged user"))?;
    let found = find(&users, "postgres").or_else(|| find(&users, "nobody"));
    found.map(Some).ok_or_else(|| {
        LocalError::Postgres(
            "refuses to run as root, and there is no user `postgres` or `nobody`; start the \
             program as another user"
                .to_owned(),
        )
    })
}

// A line of /etc/passwd: `postgres:x:101:104:…` has name, password, user id and group id. macOS has
// comments in it, and negative ids, which do not parse and count as not found.
fn find(users: &str, name: &str) -> Option<User> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let mut id = fields.skip(1);
        Some(User { uid: id.next()?.parse().ok()?, gid: id.next()?.parse().ok()? })
    })
}

pub(crate) fn run_as(command: &mut Command, user: Option<&User>) {
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
}

/// Makes a folder for PostgreSQL's data that only its owner can open.
pub(crate) fn make_private(dir: &Path) -> Result<(), LocalError> {
    fs::DirBuilder::new()
        .mode(0o700)
        .create(dir)
        .map_err(LocalError::file(dir, "make a folder for PostgreSQL's data"))
}

/// Lets the user's group, and no other, pass the state folder on the way to its data. It cannot see
/// what else lies there, and the files with secrets are their owner's alone.
pub(crate) fn let_pass(state_dir: &Path, user: &User) -> Result<(), LocalError> {
    std::os::unix::fs::chown(state_dir, None, Some(user.gid))
        .and_then(|()| fs::set_permissions(state_dir, fs::Permissions::from_mode(0o710)))
        .map_err(LocalError::file(state_dir, "let PostgreSQL's user pass"))
}

/// Gives a file or folder to the user, so that PostgreSQL may own it.
pub(crate) fn give(path: &Path, user: Option<&User>) -> Result<(), LocalError> {
    let Some(user) = user else { return Ok(()) };
    std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid))
        .map_err(LocalError::file(path, "give it to PostgreSQL's user"))
}

/// Whether the user can get to the folder, which needs the right to pass every folder above it too.
pub(crate) fn can_reach(dir: &Path, user: &User) -> bool {
    dir.ancestors().all(|folder| {
        fs::metadata(folder)
            .is_ok_and(|metadata| may_pass(metadata.mode(), metadata.uid(), metadata.gid(), user))
    })
}

// As in the kernel, the first class that fits decides, even when a later class would allow more.
// For example, the owner of a folder with mode 0o077 cannot pass it.
fn may_pass(mode: u32, uid: u32, gid: u32, user: &User) -> bool {
    let bit = match () {
        () if uid == user.uid => 0o100,
        () if gid == user.gid => 0o010,
        () => 0o001,
    };
    mode & bit != 0
}

/// A new private folder for the socket. It is in /tmp, because a socket's path may have about 100
/// bytes only, and DIR may lie deep.
pub(crate) fn socket_dir(user: Option<&User>) -> Result<TempDir, LocalError> {
    let short = Path::new("/tmp");
    let base = if short.is_dir() { short.to_path_buf() } else { std::env::temp_dir() };
    let dir = tempfile::Builder::new()
        .prefix(SOCKET_DIR_PREFIX)
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(&base)
        .map_err(LocalError::file(&base, "make a folder for PostgreSQL's socket"))?;
    give(dir.path(), user)?;
    Ok(dir)
}

/// Whether a folder is a socket folder of a server, by its name.
pub(crate) fn is_socket_dir(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(SOCKET_DIR_PREFIX))
}

/// A folder for the data that any user can reach, one for each DIR. Made when missing.
///
/// Errors: the folder exists and belongs to another user. Every user may write to /var/tmp, so that
/// user may have made it to read or change the data.
pub(crate) fn reachable_data_dir(state_dir: &Path, user: &User) -> Result<PathBuf, LocalError> {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(state_dir.as_os_str().as_encoded_bytes());
    let short: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let dir = Path::new("/var/tmp").join(format!("loader-local-{short}"));
    match fs::DirBuilder::new().mode(0o700).create(&dir) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => check_owner(&dir, user)?,
        Err(error) => {
            return Err(LocalError::file(&dir, "make a folder for PostgreSQL's data")(error));
        }
    }
    Ok(dir)
}

fn check_owner(dir: &Path, user: &User) -> Result<(), LocalError> {
    // Not `metadata`, which follows links: another user's link could lead to a folder of root.
    let metadata = fs::symlink_metadata(dir).map_err(LocalError::file(dir, "read"))?;
    if metadata.is_dir() && (metadata.uid() == user.uid || metadata.uid() == 0) {
        return Ok(());
    }
    Err(LocalError::Postgres(format!(
        "{} is not a folder of root or of PostgreSQL's user; remove it",
        dir.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user_by_its_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgres2:x:7:7::/:/bin/sh\npostgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(find(users, "postgres"), Some(User { uid: 101, gid: 104 }));
        assert_eq!(find(users, "nobody"), None);
        assert_eq!(find("# comment\nnobody:*:-2:-2::/:/bin/false", "nobody"), None);
    }

    #[test]
    fn a_folder_lets_pass_by_the_first_class_that_fits() {
        let user = User { uid: 101, gid: 104 };
        assert!(may_pass(0o755, 0, 0, &user));
        assert!(!may_pass(0o700, 0, 0, &user));
        assert!(may_pass(0o710, 0, 104, &user));
        assert!(!may_pass(0o705, 0, 104, &user));
        assert!(!may_pass(0o077, 101, 104, &user));
        assert!(may_pass(0o100, 101, 0, &user));
    }
}
