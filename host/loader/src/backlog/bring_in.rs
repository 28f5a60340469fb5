//! Brings files that are named to `data/in/`, where every load begins: files of this machine are
//! uploaded, objects of elsewhere are copied. What lies in `data/in/` already stays where it is.

use std::path::Path;

use loader_aws::s3::ObjectInfo;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::S3Uri;
use tokio::io::AsyncReadExt;

use crate::backlog::Doing;
use crate::backlog::pending::PendingFile;
use crate::backlog::place::Place;
use crate::layout::IN;
use crate::settings::suggest::nearest;

/// Names that are listed where a file is not found.
const LISTED: usize = 10;

/// Where a named file is.
enum Found {
    /// In `data/in/`, by its name there.
    Here(String),
    OnThisMachine,
    Elsewhere(S3Uri),
}

/// The files, in the order in which they were named. Errors: `Config` for a file that is nowhere, or
/// whose name another file in `data/in/` has.
pub(super) async fn bring_in(
    place: &Place,
    files: &[String],
    doing: Doing,
) -> Result<Vec<PendingFile>> {
    let mut brought = Vec::new();
    for file in files {
        let name = match found(place, file)? {
            Found::Here(name) => name,
            elsewhere if doing == Doing::Preview => return Err(not_here(file, &elsewhere)),
            Found::OnThisMachine => upload(place, Path::new(file)).await?,
            Found::Elsewhere(from) => copy(place, &from).await?,
        };
        let uri = place.at(format!("{IN}{name}"));
        match place.store.head(&uri).await? {
            Some(info) => brought.push(of_name(name, info)),
            None => return Err(nowhere(place, &name).await),
        }
    }
    Ok(brought)
}

fn of_name(name: String, info: ObjectInfo) -> PendingFile {
    PendingFile { name, etag: info.etag, size_bytes: info.size_bytes, arrived_at: None }
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
    if Path::new(file).is_file() {
        return Ok(Found::OnThisMachine);
    }
    let name = file.trim_start_matches('/');
    Ok(Found::Here(name.strip_prefix(IN).unwrap_or(name).to_owned()))
}

async fn upload(place: &Place, path: &Path) -> Result<String> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| config(format!("{} names no file", path.display())))?;
    let to = place.at(format!("{IN}{name}"));
    if place.store.upload_new(path, &to).await? {
        tracing::info!(file = %path.display(), to = %to, "uploaded");
        return Ok(name);
    }
    match is_same(place, path, &to).await? {
        true => Ok(name),
        false => Err(taken(&to)),
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
        let theirs = theirs.context(Kind::Transient, format!("reading {uri} broke off"))?;
        ours.resize(theirs.len(), 0);
        file.read_exact(&mut ours).await.context(Kind::Config, cannot())?;
        if ours != theirs {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn copy(place: &Place, from: &S3Uri) -> Result<String> {
    let name = from.key.rsplit('/').next().unwrap_or(&from.key).to_owned();
    let to = place.at(format!("{IN}{name}"));
    let Some(info) = place.store.head(from).await? else {
        return Err(config(format!("there is no object {from}")));
    };
    match place.store.head(&to).await? {
        Some(there) if there.etag == info.etag => return Ok(name),
        Some(_) => return Err(taken(&to)),
        None => {}
    }
    place.store.copy_of_any_size(from, &info, &to).await?;
    tracing::info!(from = %from, to = %to, "copied");
    Ok(name)
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
        Found::Here(_) | Found::OnThisMachine => "this machine",
    };
    config(format!(
        "{file} is on {place}; a preview reads what lies in {IN}, and `loader transform` shows what \
         a file of this machine becomes"
    ))
}

/// The error for a name that is nowhere, with what lies in `data/in/`.
async fn nowhere(place: &Place, name: &str) -> Error {
    let there = place.store.list(&place.at(IN)).await.unwrap_or_default();
    let there: Vec<&str> = there.iter().filter_map(|key| key.strip_prefix(IN)).collect();
    let advice = match (nearest(name, there.iter().copied()), there.as_slice()) {
        (Some(meant), _) => format!("did you mean {meant}?"),
        (None, []) => format!("{} is empty", place.at(IN)),
        (None, names) => {
            let more = if names.len() > LISTED { ", …" } else { "" };
            let names: Vec<&str> = names.iter().take(LISTED).copied().collect();
            format!("there are {}{more}", names.join(", "))
        }
    };
    config(format!("{name} is neither a file of this machine nor in {}; {advice}", place.at(IN)))
}

fn config(fact: String) -> Error {
    Error::new(Kind::Config, fact)
}
