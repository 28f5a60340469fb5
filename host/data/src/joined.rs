//! The files of one load, put together: what all of their rows have in common.
//!
//! In: files that were read to their ends, in the order in which they came. Out: one profile over
//! all of them, from which the load is planned. Only files of one shape can be put together: the
//! same columns by the same names, read in the same way.

use std::sync::Arc;

use loader_csv::{Dialect, FileProfile, Header};
use loader_model::choices::FileFormat;
use loader_model::column_type::ColumnType;

use crate::column_spec::ColumnSpec;
use crate::infer::Spool;

/// The files of one load; at least one.
pub struct Joined {
    first: Arc<Spool>,
    others: Vec<Arc<Spool>>,
    /// Over all files. `None`: there is one, which has its own.
    profile: Option<FileProfile>,
    mixed: Vec<Option<String>>,
}

impl Joined {
    /// One file alone.
    pub fn one(file: Arc<Spool>) -> Joined {
        Joined { mixed: file.mixed.clone(), first: file, others: Vec::new(), profile: None }
    }

    /// Several files of one shape. `None`: there are none, or they are of several shapes.
    pub fn of(files: &[Arc<Spool>]) -> Option<Joined> {
        let (first, others) = files.split_first()?;
        if others.is_empty() {
            return Some(Joined::one(Arc::clone(first)));
        }
        if !others.iter().all(|other| are_alike(first, other)) {
            return None;
        }
        let (mut facts, mut mixed) = (first.facts.clone(), first.mixed.clone());
        for other in others {
            facts.append(&other.facts);
            for (place, said) in other.mixed.iter().enumerate() {
                match mixed.get_mut(place) {
                    Some(known) if known.is_none() => known.clone_from(said),
                    Some(_) => {}
                    None => mixed.push(said.clone()),
                }
            }
        }
        let (first, others) = (Arc::clone(first), others.to_vec());
        Some(Joined { first, others, profile: Some(facts.finish()), mixed })
    }

    /// The files, in the order in which they came.
    pub fn files(&self) -> impl ExactSizeIterator<Item = &Arc<Spool>> {
        let all: Vec<&Arc<Spool>> = std::iter::once(&self.first).chain(&self.others).collect();
        all.into_iter()
    }

    /// What the values of the columns have in common. Where there are several files, the places in
    /// it are those of one of them, which it does not name.
    pub fn profile(&self) -> &FileProfile {
        self.profile.as_ref().unwrap_or(&self.first.profile)
    }

    pub fn header(&self) -> &Header {
        &self.first.header
    }

    pub fn dialect(&self) -> &Dialect {
        &self.first.dialect
    }

    pub fn format(&self) -> FileFormat {
        self.first.format()
    }

    /// What the user says of the columns, by their places in the header.
    pub fn columns(&self) -> &[Option<ColumnSpec>] {
        &self.first.columns
    }

    /// What the user says of columns that the files do not name.
    pub fn unplaced(&self) -> &[ColumnSpec] {
        &self.first.unplaced
    }

    /// The types that the files give their columns, by their places in the header.
    pub fn types(&self) -> &[Option<ColumnType>] {
        &self.first.types
    }

    /// Where a file has values of different kinds in a column, in words; by the same places.
    pub fn mixed(&self) -> &[Option<String>] {
        &self.mixed
    }

    /// The size of all files.
    pub fn size_bytes(&self) -> u64 {
        self.files().map(|file| file.size_bytes).sum()
    }
}

/// Whether two files can be loaded as one.
pub fn are_alike(one: &Spool, other: &Spool) -> bool {
    one.header == other.header
        && one.dialect == other.dialect
        && one.format() == other.format()
        && one.types == other.types
}
