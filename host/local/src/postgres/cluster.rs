//! The data folder of PostgreSQL: finds it, or makes it once. In: the state folder of DIR; out: a
//! data folder that is complete, of the right version, used by no other process, and owned by the
//! user that will run PostgreSQL.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;

use super::find::Binaries;
use super::leftover;
use super::user::{self, User};
use crate::error::LocalError;
use crate::roles::OWNER;

/// The folder of data and log in the state folder, or the link to it.
const NAME: &str = "postgres";

#[derive(Debug)]
pub(crate) struct Cluster {
    /// PostgreSQL's data folder.
    pub(crate) data: PathBuf,
    /// Its log.
    pub(crate) log: PathBuf,
    /// The user that runs PostgreSQL on it; `None` is the user of this process.
    pub(crate) owner: Option<User>,
}

impl Cluster {
    /// Finds the data folder, or makes it, which takes about a second.
    pub(crate) async fn open(state_dir: &Path, binaries: &Binaries) -> Result<Cluster, LocalError> {
        let mut owner = user::database_user()?;
        let home = home(state_dir, owner.as_ref()).await?;
        let (data, log) = (home.join("data"), home.join("postgres.log"));
        let is_made = data.exists();
        if is_made {
            leftover::clear(&data).await?;
            // The owner of the data decides: an earlier server may have run as another user.
            owner = current_owner(&data)?;
        }
        if let Some(user) = &owner
            && !state_dir.join(NAME).is_symlink()
        {
            user::let_pass(state_dir, user)?;
        }
        match is_made {
            true => check_version(&data, binaries).await?,
            false => make(&home, &data, binaries, owner.as_ref()).await?,
        }
        Ok(Cluster { data, log, owner })
    }
}

/// The folder that holds data and log: `postgres` in the state folder, or the folder that a link of
/// this name leads to.
// A link that is there is followed, also when the state folder can be reached by now: the data is
// where it leads. The link may lead to nothing, when /var/tmp was cleaned; then the folder is made
// again and the warehouse starts empty.
async fn home(state_dir: &Path, owner: Option<&User>) -> Result<PathBuf, LocalError> {
    let link = state_dir.join(NAME);
    // The state folder itself lets the user pass later; the folders above it are not ours.
    let can_reach = |user| state_dir.parent().is_none_or(|above| user::can_reach(above, user));
    let elsewhere = match (fs::read_link(&link), owner) {
        (Ok(target), _) => Some(target),
        (Err(_), Some(user)) if !link.exists() && !can_reach(user) => {
            Some(make_elsewhere(state_dir, &link, user).await?)
        }
        _ => None,
    };
    let home = elsewhere.unwrap_or(link);
    if !home.is_dir() {
        user::make_private(&home)?;
    }
    if !home.join("data").exists() {
        user::give(&home, owner)?;
    }
    home.canonicalize().map_err(LocalError::file(&home, "find"))
}

/// Makes an empty folder that the user can reach, and the link to it.
async fn make_elsewhere(state_dir: &Path, link: &Path, user: &User) -> Result<PathBuf, LocalError> {
    let target = user::reachable_data_dir(state_dir, user)?;
    // This DIR has no link yet, so data in the folder belongs to a deleted DIR with the same path.
    leftover::clear(&target.join("data")).await?;
    fs::remove_dir_all(&target)
        .map_err(LocalError::file(&target, "remove the data of a deleted folder"))?;
    user::make_private(&target)?;
    std::os::unix::fs::symlink(&target, link)
        .map_err(LocalError::file(link, "link to PostgreSQL's data"))?;
    Ok(target)
}

/// Runs `initdb` in a folder beside and renames it. A server that is killed half-way leaves only
/// `data.new`, which the next start replaces.
// Redshift knows upper and lower case outside ASCII (`upper('ä')` is `Ä`), so the character type is
// Unicode's where the system has it. Redshift sorts by bytes, so the rest of the locale is C.
async fn make(
    home: &Path,
    data: &Path,
    binaries: &Binaries,
    owner: Option<&User>,
) -> Result<(), LocalError> {
    let fresh = home.join("data.new");
    let mut output = initdb(&fresh, binaries, owner, &["--lc-ctype=C.UTF-8"]).await?;
    if !output.status.success() {
        // Not every system has that locale.
        output = initdb(&fresh, binaries, owner, &[]).await?;
    }
    if !output.status.success() {
        return Err(initdb_failed(home, &output));
    }
    fs::rename(&fresh, data).map_err(LocalError::file(data, "make PostgreSQL's data folder"))
}

fn initdb_failed(home: &Path, output: &Output) -> LocalError {
    LocalError::Postgres(format!(
        "cannot make a data folder in {} ({}): {}",
        home.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}

async fn initdb(
    fresh: &Path,
    binaries: &Binaries,
    owner: Option<&User>,
    more: &[&str],
) -> Result<Output, LocalError> {
    make_empty(fresh, owner)?;
    let mut command = std::process::Command::new(&binaries.initdb);
    command
        .args(["--no-sync", "--no-instructions", "--auth=trust", "--encoding=UTF8"])
        .args(["--locale=C", "--wal-segsize=1"])
        .args(more)
        .arg(format!("--username={OWNER}"))
        .arg("--pgdata")
        .arg(fresh)
        .current_dir(fresh)
        .stdin(Stdio::null());
    user::run_as(&mut command, owner);
    Command::from(command)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(LocalError::file(&binaries.initdb, "run"))
}

fn make_empty(fresh: &Path, owner: Option<&User>) -> Result<(), LocalError> {
    if fresh.exists() {
        fs::remove_dir_all(fresh)
            .map_err(LocalError::file(fresh, "remove a half-made data folder"))?;
    }
    fs::create_dir(fresh)
        .map_err(LocalError::file(fresh, "make a folder for PostgreSQL's data"))?;
    user::give(fresh, owner)
}

/// PostgreSQL runs only on data of its own user. Root can become that user; no other user can.
fn current_owner(data: &Path) -> Result<Option<User>, LocalError> {
    let metadata = fs::metadata(data).map_err(LocalError::file(data, "read"))?;
    let me = rustix::process::geteuid();
    if me.is_root() {
        return Ok(Some(User { uid: metadata.uid(), gid: metadata.gid() }));
    }
    if metadata.uid() == me.as_raw() {
        return Ok(None);
    }
    Err(LocalError::Postgres(format!(
        "its data, {}, belongs to user {} and this program runs as user {}; run it as the same \
         user as before, or use another folder",
        data.display(),
        metadata.uid(),
        me.as_raw()
    )))
}

// PG_VERSION has the major version, such as `15`, and the program its full one, such as `15.14`.
// The point in the comparison keeps a `1` from matching 15.
async fn check_version(data: &Path, binaries: &Binaries) -> Result<(), LocalError> {
    let file = data.join("PG_VERSION");
    let made_by = fs::read_to_string(&file).map_err(LocalError::file(&file, "read"))?;
    let made_by = made_by.trim();
    let found = version(binaries).await?;
    if found == made_by || found.starts_with(&format!("{made_by}.")) {
        return Ok(());
    }
    Err(LocalError::Postgres(format!(
        "{} was made by version {made_by}, and {} is version {found}; set LOADER_POSTGRES_BIN to \
         version {made_by}, or remove that folder to start with an empty warehouse",
        data.display(),
        binaries.postgres.display()
    )))
}

async fn version(binaries: &Binaries) -> Result<String, LocalError> {
    let output = Command::new(&binaries.postgres)
        .arg("--version")
        .output()
        .await
        .map_err(LocalError::file(&binaries.postgres, "run"))?;
    // For example: postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)
    let version = String::from_utf8_lossy(&output.stdout);
    Ok(version.split_whitespace().nth(2).unwrap_or_default().to_owned())
}
