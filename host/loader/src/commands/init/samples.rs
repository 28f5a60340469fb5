//! Where the files lie, and what samples of them tell.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_data::content;
use loader_data::decompress::decompress;
use loader_data::sample;
use loader_model::choices::FileFormat;
use loader_model::error::{Context, Error, Kind, Result};
use loader_sniff::{Findings, Sample, Sniffed, sniff};

use super::group::Group;
use crate::backlog::place::Place;
use crate::data_path::object_reader;
use crate::job::Project;
use crate::layout::IN;
use crate::progress::Progress;
use crate::tools::blocking;

/// Files of a feed that are looked at.
const LOOKED_AT: usize = 3;

/// Where the files lie.
pub(super) enum Source {
    Folder(PathBuf),
    Bucket(Box<Place>),
}

/// A feed, and what is known of its files.
pub(super) struct Feed {
    pub(super) group: Group,
    pub(super) kind: FeedKind,
    /// What a person should look at.
    pub(super) remarks: Vec<String>,
}

/// What the files of a feed are.
pub(super) enum FeedKind {
    Csv {
        found: Box<Findings>,
        /// The file whose findings these are.
        name: String,
        /// A guess; empty where there is none.
        keys: Vec<String>,
    },
    Other(FileFormat),
    /// None could be read.
    Unknown,
}

impl Source {
    /// The folder that is named, or else `data/in/` of the bucket.
    pub(super) async fn of(
        folder: Option<PathBuf>,
        project: &Project,
        stop: &Stop,
    ) -> Result<Source> {
        match folder {
            Some(folder) if folder.is_dir() => Ok(Source::Folder(folder)),
            Some(folder) => {
                let fact = format!("{} is no folder", folder.display());
                Err(Error::new(Kind::Config, fact))
            }
            None => Ok(Source::Bucket(Box::new(Place::connect(project, stop).await?))),
        }
    }

    /// Where that is, for people.
    pub(super) fn shown(&self) -> String {
        match self {
            Source::Folder(folder) => folder.display().to_string(),
            Source::Bucket(place) => place.at(IN).to_string(),
        }
    }

    /// The names of the files, with the folders below.
    pub(super) async fn names(&self) -> Result<Vec<String>> {
        match self {
            Source::Folder(folder) => {
                let mut names = Vec::new();
                walk(folder, "", &mut names)?;
                Ok(names)
            }
            Source::Bucket(place) => {
                let keys = place.store.list(&place.at(IN)).await?;
                let names = keys.iter().filter_map(|key| key.strip_prefix(IN));
                let names = names.filter(|name| !name.is_empty() && !name.ends_with('/'));
                Ok(names.map(str::to_owned).collect())
            }
        }
    }

    /// The beginning of a file, decompressed.
    async fn beginning(&self, name: &str) -> Result<Vec<u8>> {
        let stored: Box<dyn Read + Send> = match self {
            Source::Folder(folder) => {
                let path = folder.join(name);
                let cannot = || format!("{} cannot be read", path.display());
                Box::new(File::open(&path).context(Kind::Config, cannot())?)
            }
            Source::Bucket(place) => Box::new(open(&place.store, place, name).await?),
        };
        let beginning = move || {
            let content = decompress(stored)?;
            Ok(sample::beginning(content, Sample::BEGINNING_BYTES)?.0)
        };
        blocking(beginning).await
    }
}

async fn open(store: &Store, place: &Place, name: &str) -> Result<impl Read + Send + 'static> {
    let uri = place.at(format!("{IN}{name}"));
    let gone = || Error::new(Kind::Transient, format!("{uri} is gone; run again"));
    let (info, beginning) = store.open(&uri).await?.ok_or_else(gone)?;
    let body = store.read_on(&uri, &info, beginning);
    Ok(object_reader::of_body(body, info.size_bytes, Progress::hidden()))
}

fn walk(folder: &Path, below: &str, names: &mut Vec<String>) -> Result<()> {
    let cannot = || format!("{} cannot be read", folder.display());
    for entry in std::fs::read_dir(folder).context(Kind::Config, cannot())? {
        let entry = entry.context(Kind::Config, cannot())?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if is_hidden {
            continue;
        }
        match entry.path() {
            // A link to a folder may lead back to this one.
            path if path.is_symlink() && path.is_dir() => {}
            path if path.is_dir() => walk(&path, &format!("{name}/"), names)?,
            path if path.is_file() => names.push(name),
            _ => {}
        }
    }
    names.sort();
    Ok(())
}

/// Looks at some files of a feed.
pub(super) async fn look(source: &Source, group: Group) -> Result<Feed> {
    let mut remarks = Vec::new();
    let mut csv: Vec<(String, Box<Findings>)> = Vec::new();
    let mut other = None;
    for name in some_of(&group.files) {
        let looked = match source.beginning(&name).await {
            Ok(beginning) => told(&beginning),
            Err(error) if error.kind().is_the_files_fault() => Err(error),
            Err(error) => return Err(error),
        };
        match looked {
            Ok(Told::Csv(found)) => csv.push((name, found)),
            Ok(Told::Other(format)) => other = Some(format),
            Err(error) => remarks.push(format!("{name} cannot be read: {error}")),
        }
    }
    let kind = match (csv.pop(), other) {
        (None, None) => FeedKind::Unknown,
        (None, Some(format)) => FeedKind::Other(format),
        (Some((name, found)), other) => {
            if other.is_some() {
                remarks
                    .push("some of the files are no CSV; give those a table of their own".into());
            }
            remarks.extend(differences(&name, &found, &csv));
            let keys = keys(&group.table, &found, &csv);
            FeedKind::Csv { found, name, keys }
        }
    };
    Ok(Feed { group, kind, remarks })
}

/// The first, the middle and the last.
fn some_of(files: &[String]) -> Vec<String> {
    let places = (0..LOOKED_AT).map(|nth| nth * files.len().saturating_sub(1) / (LOOKED_AT - 1));
    let mut places: Vec<usize> = places.collect();
    places.dedup();
    places.into_iter().filter_map(|place| files.get(place)).cloned().collect()
}

enum Told {
    Csv(Box<Findings>),
    Other(FileFormat),
}

fn told(beginning: &[u8]) -> Result<Told> {
    if let Some(format) = content::other_format(beginning, None, FileFormat::Auto)? {
        return Ok(Told::Other(format));
    }
    let is_whole = beginning.len() < Sample::BEGINNING_BYTES;
    match sniff(&Sample { beginning, middle: &[], end: &[], is_whole }) {
        Sniffed::Text(found) => Ok(Told::Csv(found)),
        Sniffed::Empty => Err(Error::new(Kind::Data, "it is empty")),
        Sniffed::Binary(because) => Err(Error::new(Kind::Data, because)),
    }
}

/// What other files of the feed have otherwise.
fn differences(name: &str, found: &Findings, others: &[(String, Box<Findings>)]) -> Vec<String> {
    let mut remarks = Vec::new();
    for (other, theirs) in others {
        if theirs.delimiter.value != found.delimiter.value {
            let (ours, theirs) = (&found.delimiter.value, &theirs.delimiter.value);
            remarks.push(format!(
                "{name} is parted by {ours}, {other} by {theirs}; give one of them a table of its own"
            ));
        } else if theirs.names != found.names {
            let of_ours = only(&found.names, &theirs.names);
            let of_theirs = only(&theirs.names, &found.names);
            remarks.push(format!("columns differ: {name} has {of_ours}, {other} has {of_theirs}"));
        }
    }
    remarks
}

/// The names that others do not have.
fn only(names: &[String], others: &[String]) -> String {
    let only: Vec<&str> =
        names.iter().filter(|name| !others.contains(name)).map(String::as_str).collect();
    if only.is_empty() { "no other".to_owned() } else { only.join(", ") }
}

/// A key that holds in all files that were looked at. The table's own id goes first: of `order_id`
/// and `customer_id`, `order_id` for `orders`.
fn keys(table: &str, found: &Findings, others: &[(String, Box<Findings>)]) -> Vec<String> {
    let holds = |key: &&Vec<String>| {
        others.iter().all(|(_, theirs)| {
            let rows = theirs.keys.iter().any(|other| other == *key);
            // A file of a row or two tells nothing.
            rows || theirs.preview.len() < 3
        })
    };
    let mut all: Vec<&Vec<String>> = found.keys.iter().filter(holds).collect();
    let own = table.trim_end_matches('s');
    let is_own = |key: &&Vec<String>| {
        let first = key.first().map(|name| loader_names::clean(name)).unwrap_or_default();
        first == "id" || first.starts_with(own)
    };
    all.sort_by_key(|key| (key.len(), !is_own(key)));
    let key = all.first().map(|key| key.iter().map(|name| loader_names::clean(name)).collect());
    key.unwrap_or_default()
}
