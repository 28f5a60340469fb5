//! Brings files that are named to `data/in/`, where every load begins: files of this machine are
//! uploaded, objects of elsewhere are copied. What lies in `data/in/` already stays where it is.

use std::path::{Path, PathBuf};

use loader_aws::s3::ObjectInfo;
use loader_aws::stop::Stop;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::S3Uri;
use tokio::io::AsyncReadExt;

use crate::backlog::doing::Doing;
use crate::backlog::outcome::claimed_by;
use crate::backlog::pending::PendingFile;
use crate::backlog::place::Place;
use crate::feeds::{Feeds, Owner};
use crate::layout::IN;
use crate::settings::suggest::nearest;

/// Names that are listed where a file is not found.
const LISTED: usize = 10;

/// Files that were named.
pub(super) struct Named<'a> {
    pub(super) files: &'a [String],
    /// The table, if one is named with them.
    pub(super) table: Option<&'a str>,
    pub(super) feeds: &'a Feeds,
    /// All tables, which a word may have meant.
    pub(super) tables: Vec<&'a str>,
}

/// Where a named file is.
#[derive(PartialEq, Eq)]
enum Found {
    /// In `data/in/`, by its name there.
    Here(String),
    OnThisMachine(PathBuf),
    Elsewhere(S3Uri),
}

/// A named file, and its name in `data/in/`.
struct Wanted<'a> {
    file: &'a str,
    found: Found,
    name: String,
}

/// The files, in the order in which they were named. Errors: `Config` for a file that is nowhere,
/// that no table takes, or whose name another file in `data/in/` has. Nothing is brought before all
/// files are found and their tables are known.
pub(super) async fn bring_in(
    place: &Place,
    named: &Named<'_>,
    doing: Doing,
    stop: &Stop,
) -> Result<Vec<PendingFile>> {
    let wanted = all_wanted(place, named).await?;
    let mut brought = Vec::new();
    for Wanted { file, found, name } in wanted {
        stop.check()?;
        let uri = place.at(format!("{IN}{name}"));
        match found {
            Found::Here(_) => {}
            elsewhere if doing == Doing::Preview => return Err(not_here(file, &elsewhere)),
            Found::OnThisMachine(path) => upload(place, &path, &uri).await?,
            Found::Elsewhere(from) => copy(place, &from, &uri).await?,
        }
        match place.store.head(&uri).await? {
            Some(info) => brought.push(of_name(name, info)),
            None => return Err(nowhere(place, named, &name).await),
        }
    }
    Ok(brought)
}

async fn all_wanted<'a>(place: &Place, named: &Named<'a>) -> Result<Vec<Wanted<'a>>> {
    let mut all: Vec<Wanted<'a>> = Vec::new();
    for file in named.files {
        let found = found(place, file)?;
        let name = name_of(place, named, &found).await?;
        named.check(&name, &found)?;
        match all.iter().find(|other| other.name == name) {
            Some(other) if other.found == found => {}
            Some(other) => {
                return Err(config(format!(
                    "{} and {file} would both be {IN}{name}; load one after the other",
                    other.file
                )));
            }
            None => all.push(Wanted { file, found, name }),
        }
    }
    Ok(all)
}

impl Named<'_> {
    /// Refuses what would be brought to `data/in/` in vain: a file that no table takes, or that the
    /// next `loader run` would load into another table, should this load fail.
    fn check(&self, name: &str, found: &Found) -> Result<()> {
        let is_here = matches!(found, Found::Here(_));
        match (self.feeds.owner(name), self.table) {
            (Owner::Nobody, None) => Err(of_no_table(name)),
            (Owner::Several(tables), None) if !is_here => {
                let tables: Vec<String> = tables.into_iter().map(str::to_owned).collect();
                Err(config(format!("{name}: {}", claimed_by(&tables))))
            }
            (Owner::Table(owner), Some(table)) if owner != table && !is_here => {
                Err(config(format!(
                    "by its name {name} is a file of {owner}, which would get it if its load into \
                     {table} failed; give it another name"
                )))
            }
            _ => Ok(()),
        }
    }
}

fn of_name(name: String, info: ObjectInfo) -> PendingFile {
    PendingFile { name, etag: info.etag, size_bytes: info.size_bytes, arrived_at: None }
}

/// The name in `data/in/` that a word stands for. `None`: a file of this machine or of elsewhere.
pub(crate) fn name_here(place: &Place, file: &str) -> Result<Option<String>> {
    Ok(match found(place, file)? {
        Found::Here(name) => Some(name),
        Found::OnThisMachine(_) | Found::Elsewhere(_) => None,
    })
}

fn found(place: &Place, file: &str) -> Result<Found> {
    if let Some(address) = file.strip_prefix("s3://") {
        let (bucket, key) = address.split_once('/').unwrap_or((address, ""));
        if key.is_empty() || key.ends_with('/') {
            return Err(config(format!("{file} names no object")));
        }
        return Ok(match key.strip_prefix(IN).filter(|_| bucket == place.bucket) {
            Some(name) => Found::Here(name.to_owned()),
            None => Found::Elsewhere(S3Uri::new(bucket, key)),
        });
    }
    let path = Path::new(file);
    if path.is_file() {
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        return Ok(Found::OnThisMachine(whole));
    }
    let name = file.trim_start_matches('/');
    Ok(Found::Here(name.strip_prefix(IN).unwrap_or(name).to_owned()))
}

/// The name that a file has in `data/in/`, or will have there. Errors: `Config` where there is
/// none.
async fn name_of(place: &Place, named: &Named<'_>, found: &Found) -> Result<String> {
    match found {
        Found::Here(name) => match place.store.head(&place.at(format!("{IN}{name}"))).await? {
            Some(_) => Ok(name.clone()),
            None => Err(nowhere(place, named, name).await),
        },
        Found::OnThisMachine(path) => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            name.ok_or_else(|| config(format!("{} names no file", path.display())))
        }
        Found::Elsewhere(from) => match place.store.head(from).await? {
            Some(_) => Ok(from.key.rsplit('/').next().unwrap_or(&from.key).to_owned()),
            None => Err(config(format!("there is no object {from}"))),
        },
    }
}

async fn upload(place: &Place, path: &Path, to: &S3Uri) -> Result<()> {
    if place.store.upload_new(path, to).await? {
        tracing::info!(file = %path.display(), to = %to, "uploaded");
        return Ok(());
    }
    match is_same(place, path, to).await? {
        true => Ok(()),
        false => Err(taken(to)),
    }
}

/// Whether an object has the very bytes of a file.
async fn is_same(place: &Place, path: &Path, uri: &S3Uri) -> Result<bool> {
    let cannot = || format!("{} cannot be read", path.display());
    let Some(info) = place.store.head(uri).await? else { return Ok(false) };
    let mut file = tokio::fs::File::open(path).await.context(Kind::Config, cannot())?;
    let size = file.metadata().await.context(Kind::Config, cannot())?.len();
    if size != info.size_bytes {
        return Ok(false);
    }
    let mut body = place.store.read(uri, &info).await?;
    let mut ours = Vec::new();
    while let Some(theirs) = body.next().await {
        let theirs = theirs?;
        ours.resize(theirs.len(), 0);
        file.read_exact(&mut ours).await.context(Kind::Config, cannot())?;
        if ours != theirs {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn copy(place: &Place, from: &S3Uri, to: &S3Uri) -> Result<()> {
    let Some(info) = place.store.head(from).await? else {
        return Err(config(format!("there is no object {from}")));
    };
    match place.store.head(to).await? {
        Some(there) if there.etag == info.etag => return Ok(()),
        Some(_) => return Err(taken(to)),
        None => {}
    }
    place.store.copy_of_any_size(from, &info, to).await?;
    tracing::info!(from = %from, to = %to, "copied");
    Ok(())
}

fn taken(to: &S3Uri) -> Error {
    config(format!(
        "{to} is another file of that name, which is not loaded yet; load that one first, or give \
         this one another name"
    ))
}

fn not_here(file: &str, found: &Found) -> Error {
    let place = match found {
        Found::Elsewhere(_) => "another place of S3",
        Found::Here(_) | Found::OnThisMachine(_) => "this machine",
    };
    config(format!(
        "{file} is on {place}; a preview reads what lies in {IN}, and `loader transform` shows what \
         a file of this machine becomes"
    ))
}

/// The error for a name that is nowhere, with what may be meant.
async fn nowhere(place: &Place, named: &Named<'_>, name: &str) -> Error {
    let there = place.store.list(&place.at(IN)).await.unwrap_or_default();
    let there: Vec<&str> = there.iter().filter_map(|key| key.strip_prefix(IN)).collect();
    let may_be_table = named.table.is_none() && !name.contains(['/', '.']);
    let tables = named.tables.iter().copied().filter(|_| may_be_table);
    let advice = match (nearest(name, tables.chain(there.iter().copied())), there.as_slice()) {
        (Some(meant), _) => format!("did you mean `{meant}`?"),
        (None, _) if may_be_table => format!("the tables are {}", some_of(&named.tables)),
        (None, []) => format!("{} is empty", place.at(IN)),
        (None, names) => format!("there are {}", some_of(names)),
    };
    let table = if may_be_table { "a table of the settings file, " } else { "" };
    config(format!(
        "{name} is neither {table}a file of this machine nor in {}; {advice}",
        place.at(IN)
    ))
}

fn some_of(names: &[&str]) -> String {
    let more = if names.len() > LISTED { ", …" } else { "" };
    let names: Vec<&str> = names.iter().take(LISTED).copied().collect();
    format!("{}{more}", names.join(", "))
}

fn of_no_table(name: &str) -> Error {
    config(format!(
        "no table of the settings file takes {name}; name one with --target-table, or give it to a \
         table: [tables.NAME] with files = [{name:?}]"
    ))
}

fn config(fact: String) -> Error {
    Error::new(Kind::Config, fact)
}
