//! The refusal of keys that the Glue job spelt otherwise than the file: which they are, and what to
//! do.
//!
//! In: the load that its guard has refused. Out: an error with examples. The staged parts are still
//! there, so the warehouse is asked with them once more.

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::load_batch::{RespeltKey, unquote};
use loader_warehouse::refusal;

/// A refused load.
pub struct RefusedKeys<'a> {
    pub target: &'a TableName,
    /// The text keys.
    pub keys: Vec<String>,
    /// The statements whose last one has the keys.
    pub telling: Vec<String>,
}

impl RefusedKeys<'_> {
    /// The refusal of keys that match no row as they stand, and rows as the job spelt them.
    pub async fn respelt(&self, api: &DataApi) -> Error {
        let (target, keys) = (self.target, self.keys.join(", "));
        let found = self.told(api).await;
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

    /// The first keys that were found. None, where the warehouse does not tell: the refusal stands
    /// without examples.
    async fn told(&self, api: &DataApi) -> Vec<RespeltKey> {
        self.ask(api).await.unwrap_or_else(|problem| {
            tracing::debug!(error = %problem, "the keys that the Glue job respelt could not be read");
            Vec::new()
        })
    }

    async fn ask(&self, api: &DataApi) -> Result<Vec<RespeltKey>> {
        match api.execute_batch(&self.telling).await? {
            Outcome::Failed(failure) => Err(refusal::explain("reading keys", &failure)),
            Outcome::Finished(executed) => {
                api.rows(&executed, Some(self.telling.len() - 1)).await?.decode()
            }
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
