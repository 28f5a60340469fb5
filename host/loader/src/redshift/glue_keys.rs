//! The refusal of keys that the Glue job spelt otherwise than the file: which they are, and what to
//! do.
//!
//! In: the load that its guard has refused. Out: an error with examples.

use loader_aws::data_api::DataApi;
use loader_model::error::{Error, Kind};
use loader_model::names::TableName;
use loader_warehouse::load_batch::{RespeltKey, unquote};

use crate::redshift::refused_keys;

/// A refused load.
pub struct RefusedKeys<'a> {
    pub target: &'a TableName,
    /// The text keys.
    pub keys: Vec<String>,
    /// The statements whose last one has the keys.
    pub telling: &'a [String],
}

impl RefusedKeys<'_> {
    /// The refusal of keys that match no row as they stand, and rows as the job spelt them.
    pub async fn respelt(&self, api: &DataApi) -> Error {
        let (target, keys) = (self.target, self.keys.join(", "));
        let found: Vec<RespeltKey> = refused_keys::told(api, self.telling).await;
        let (count, examples) = match found.first() {
            Some(first) => (first.found.to_string(), examples(&found)),
            None => ("some".to_owned(), String::new()),
        };
        let fact = format!(
            "{count} keys ({keys}) match no row of {target} as they stand, but rows whose keys the \
             Glue job spelt otherwise{examples}; loaded as they are, they would double these rows; \
             give --keys-as-glue, which matches these rows and gives their keys the file's spelling, \
             or --keys-as-glue=false if they are other keys{}",
            self.repair(&found)
        );
        Error::new(Kind::SchemaConflict, fact)
    }

    /// The refusal of keys of the file that the job would have spelt alike.
    pub fn become_one(&self) -> Error {
        let fact = format!(
            "the file has several keys ({}) that the Glue job would have spelt alike, as `007` and \
             `7`, so --keys-as-glue cannot tell whose rows of {} are whose; give the stored keys \
             their spelling by hand, and load with --keys-as-glue=false",
            self.keys.join(", "),
            self.target
        );
        Error::new(Kind::SchemaConflict, fact)
    }

    /// The statements that repair what can be repaired: where the job stored a key with its quotes,
    /// the stored text alone tells what was meant.
    fn repair(&self, found: &[RespeltKey]) -> String {
        match found.first() {
            Some(first) if first.quoted > 0 => {
                let updates = self.keys.iter().map(|key| unquote(self.target, key));
                let updates: Vec<String> = updates.collect();
                let rest = if first.quoted == first.found { "" } else { " (not the other ones)" };
                format!("; or repair those that have their quotes{rest}: {}", updates.join("; "))
            }
            _ => String::new(),
        }
    }
}

/// The keys as the file and the table have them.
fn examples(found: &[RespeltKey]) -> String {
    let pair = |key: &RespeltKey| format!("`{}` as `{}`", key.staged, key.stored);
    let pairs: Vec<String> = found.iter().map(pair).collect();
    let count = found.first().map_or(0, |first| first.found);
    let more = if count > found.len() as u64 { ", …" } else { "" };
    format!(": {}{more}", pairs.join(", "))
}
