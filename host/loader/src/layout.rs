//! Where everything of one load lies in the bucket, and who the run and the load are.

use jiff::Timestamp;
use loader_model::names::{S3Uri, TableName, clean, hex, utc};
use loader_warehouse::past_runs::number_of;
use sha2::{Digest, Sha256};

/// Where files land.
pub(crate) const IN: &str = "data/in/";
/// Where files are that were refused for what is in them.
pub(crate) const ASIDE: &str = "data/unprocessed/";
/// What [`Layout::beside`] adds to a name: `_20250119103000_9f3c01ab`.
const ADDED_LETTERS: usize = 24;

/// Who a run is: its id, its number in `JOB_STS`, and when it started. Ids and numbers rise with
/// time.
#[derive(Clone, Debug)]
pub struct RunId {
    /// 32 hexadecimal digits (UUID version 7).
    pub text: String,
    /// For `JOB_STS.run_id`, a BIGINT: milliseconds since 1970 and 20 random bits.
    pub number: i64,
    /// Start of the run, whole seconds.
    pub started_at: Timestamp,
}

impl RunId {
    /// A new id, from the clock and the system's randomness.
    pub fn new() -> RunId {
        RunId::of(uuid::Uuid::now_v7())
    }

    /// An earlier run, by its id. `None`: it is no id of a run.
    pub fn parse(text: &str) -> Option<RunId> {
        uuid::Uuid::parse_str(text).ok().filter(|id| id.get_version_num() == 7).map(RunId::of)
    }

    fn of(id: uuid::Uuid) -> RunId {
        let bits = id.as_u128();
        // A UUID of version 7 begins with 48 bits of milliseconds since 1970.
        let millis = (bits >> 80) as i64;
        let started_at = Timestamp::from_second(millis / 1000).unwrap_or(Timestamp::UNIX_EPOCH);
        RunId { text: id.simple().to_string(), number: number_of(bits), started_at }
    }
}

impl Default for RunId {
    fn default() -> Self {
        RunId::new()
    }
}

/// Where everything of one load lies in the bucket. Every address follows from the source's name
/// and the run, so cleaning up twice touches the same objects as cleaning up once.
#[derive(Clone, Debug)]
pub struct Layout {
    bucket: String,
    relative: String,
    table: String,
    run: RunId,
}

impl Layout {
    /// `relative`: the source's key behind `data/in/`.
    pub fn new(bucket: &str, relative: &str, table: &str, run: &RunId) -> Layout {
        Layout {
            bucket: bucket.into(),
            relative: relative.into(),
            table: table.into(),
            run: run.clone(),
        }
    }

    /// The places of another source of the same run.
    pub fn of_other(&self, source: &S3Uri) -> Layout {
        let relative = source.key.strip_prefix(IN).unwrap_or(&source.key);
        Layout { relative: relative.to_owned(), ..self.clone() }
    }

    /// The places of the same source for the run that has loaded it, so that the file is archived
    /// under one name, whichever run comes to it.
    pub fn of_run(&self, loaded_by: RunId) -> Layout {
        Layout { run: loaded_by, ..self.clone() }
    }

    /// The bucket that holds all of it.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// `data/in/<name>`.
    pub fn source(&self) -> S3Uri {
        self.at(format!("{IN}{}", self.relative))
    }

    /// The source's name behind `data/in/`.
    pub fn source_name(&self) -> &str {
        &self.relative
    }

    /// `data/archive/YYYY/MM/<stem>_<YYYYMMDDHHMMSS>.csv`; the suffix is the source's own. For
    /// example, `data/archive/2025/01/orders_20250119103000.csv.gz`.
    pub fn archive(&self) -> S3Uri {
        let (stem, suffix) = self.stem_and_suffix();
        let (month, second) = (self.month(), utc(self.run.started_at, "%Y%m%d%H%M%S"));
        self.at(format!("data/archive/{month}/{stem}_{second}{suffix}"))
    }

    /// `data/unprocessed/YYYY/MM/<name>`.
    pub fn unprocessed(&self) -> S3Uri {
        self.at(format!("{ASIDE}{}/{}", self.month(), self.relative))
    }

    /// The same place under a name that no other run uses, for when `taken` holds another file
    /// already. The run's time and the end of its id are added to the stem: `eu/orders.csv` becomes
    /// `eu/orders_20250119103000_9f3c01ab.csv`.
    // The end of the id is random, while its beginning is the time, which two runs may share. An
    // archived file has the time in its name already, so that is cut off before it is added.
    pub fn beside(&self, taken: &S3Uri) -> S3Uri {
        let file = taken.key.rfind('/').map_or(0, |slash| slash + 1);
        let dot = taken.key[file..].find('.').map_or(taken.key.len(), |dot| file + dot);
        let (stem, suffix) = taken.key.split_at(dot);
        let second = utc(self.run.started_at, "_%Y%m%d%H%M%S");
        let run = &self.run.text[self.run.text.len().saturating_sub(8)..];
        self.at(format!("{}{second}_{run}{suffix}", stem.trim_end_matches(&second)))
    }

    /// `data/rejected/YYYY/MM/<stem>_<YYYYMMDDHHMMSS>.csv`.
    pub fn rejected(&self) -> S3Uri {
        let (stem, _) = self.stem_and_suffix();
        let second = utc(self.run.started_at, "%Y%m%d%H%M%S");
        self.at(format!("data/rejected/{}/{stem}_{second}.csv", self.month()))
    }

    /// `data/staging/<table>_<stem>/<run id>/`, a prefix that no other run uses.
    pub fn staging_prefix(&self) -> S3Uri {
        let (stem, _) = self.stem_and_suffix();
        self.at(format!("data/staging/{}_{}/{}/", self.table, clean(stem), self.run.text))
    }

    /// The folders of everything that a load of this source writes or moves. A source in a folder
    /// of its own shares none of them with other sources.
    pub fn places(&self) -> Vec<S3Uri> {
        let files =
            [self.source(), self.archive(), self.unprocessed(), self.rejected(), self.log()];
        let folder = |uri: S3Uri| {
            let end = uri.key.rfind('/').map_or(0, |slash| slash + 1);
            self.at(uri.key[..end].to_owned())
        };
        files.into_iter().map(folder).chain([self.staging_prefix()]).collect()
    }

    /// `data/journal/`: the journals of dropped views of earlier versions.
    pub fn journal_prefix(bucket: &str) -> S3Uri {
        S3Uri::new(bucket, "data/journal/")
    }

    /// `config/view_config.json`: the views that belong to tables of this bucket.
    pub fn view_config(&self) -> S3Uri {
        self.at("config/view_config.json".to_owned())
    }

    /// `logs/YYYY/MM/DD/<stem>_log_<YYYYMMDDHHMMSS>.txt`.
    pub fn log(&self) -> S3Uri {
        let (stem, _) = self.stem_and_suffix();
        let (day, second) =
            (utc(self.run.started_at, "%Y/%m/%d"), utc(self.run.started_at, "%Y%m%d%H%M%S"));
        self.at(format!("logs/{day}/{stem}_log_{second}.txt"))
    }

    fn month(&self) -> String {
        utc(self.run.started_at, "%Y/%m")
    }

    fn at(&self, key: String) -> S3Uri {
        S3Uri::new(&self.bucket, key)
    }

    fn stem_and_suffix(&self) -> (&str, &str) {
        split(&self.relative)
    }
}

/// What stands behind year and month in the key of a file that was put aside.
pub(crate) fn written_name(key: &str) -> Option<&str> {
    key.strip_prefix(ASIDE)?.splitn(3, '/').nth(2).filter(|name| !name.is_empty())
}

/// The name behind `data/in/` of a file that was put aside, by its key. `None`: it is no such key.
/// (For example, `data/unprocessed/2025/01/eu/orders.csv` is `eu/orders.csv`.)
// Behind the prefix stand year and month. What `Layout::beside` has added is taken away.
pub(crate) fn name_put_aside(key: &str) -> Option<String> {
    let (stem, suffix) = split(written_name(key)?);
    let added = stem.len().checked_sub(ADDED_LETTERS).and_then(|at| stem.get(at..));
    let own = match added.filter(|added| is_time_and_run(added)) {
        Some(added) => stem.strip_suffix(added).unwrap_or(stem),
        None => stem,
    };
    Some(format!("{own}{suffix}"))
}

/// Splits at the first dot of the file name, as the Glue job does: `a/b.csv.gz` is `a/b` and
/// `.csv.gz`.
fn split(name: &str) -> (&str, &str) {
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    let dot = name[start..].find('.').map_or(name.len(), |dot| start + dot);
    name.split_at(dot)
}

/// Whether a text is what [`Layout::beside`] adds: `_<14 digits>_<8 hexadecimal digits>`. The time,
/// too, is only checked for hexadecimal digits.
fn is_time_and_run(added: &str) -> bool {
    let mut parts = added.split('_');
    let (none, time, run) = (parts.next(), parts.next(), parts.next());
    let digits = |part: Option<&str>, n: usize| {
        part.is_some_and(|part| {
            part.len() == n && part.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    none == Some("") && digits(time, 14) && digits(run, 8) && parts.next().is_none()
}

/// The identity of a load: the same bytes of the same object into the same table have the same id.
// Every part is hashed behind its length. Without the lengths, bucket `a` with key `bc` and bucket
// `ab` with key `c` would be the same bytes, and one of two files would count as loaded.
pub(crate) fn load_id(
    source: &S3Uri,
    version: &str,
    size_bytes: u64,
    target: &TableName,
) -> String {
    let mut hash = Sha256::new();
    for part in [&source.bucket, &source.key, version, &size_bytes.to_string(), &target.to_string()]
    {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(relative: &str) -> Layout {
        let started_at = "2025-01-19T10:30:00Z".parse().expect("a valid instant");
        let run = RunId { text: "run1".into(), number: 1, started_at };
        Layout::new("b", relative, "customers", &run)
    }

    #[test]
    fn paths_are_those_of_the_glue_job() {
        let layout = layout("customers.csv");
        let paths = [
            layout.source(),
            layout.archive(),
            layout.unprocessed(),
            layout.staging_prefix(),
            layout.log(),
        ];
        let paths =
            [paths.as_slice(), &[Layout::journal_prefix("b"), layout.view_config()]].concat();
        let text = paths.iter().map(S3Uri::to_string).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(text, @r"
        s3://b/data/in/customers.csv
        s3://b/data/archive/2025/01/customers_20250119103000.csv
        s3://b/data/unprocessed/2025/01/customers.csv
        s3://b/data/staging/customers_customers/run1/
        s3://b/logs/2025/01/19/customers_log_20250119103000.txt
        s3://b/data/journal/
        s3://b/config/view_config.json
        ");
    }

    #[test]
    fn a_taken_name_gets_the_runs_id() {
        let layout = layout("eu/x.csv.gz");
        let beside = layout.beside(&layout.unprocessed());
        assert_eq!(beside.key, "data/unprocessed/2025/01/eu/x_20250119103000_run1.csv.gz");
        assert_eq!(
            layout.beside(&layout.log()).key,
            "logs/2025/01/19/eu/x_log_20250119103000_run1.txt"
        );
    }

    #[test]
    fn compressed_files_and_folders_keep_their_names() {
        let layout = layout("eu/Big Orders+x.csv.gz");
        assert_eq!(
            layout.archive().key,
            "data/archive/2025/01/eu/Big Orders+x_20250119103000.csv.gz"
        );
        assert_eq!(layout.staging_prefix().key, "data/staging/customers_eu_big_orders_x/run1/");
    }

    #[test]
    fn run_numbers_rise_and_fit_a_bigint() {
        let first = RunId::new();
        assert!(first.number > 0);
        assert_eq!(first.text.len(), 32);
    }

    #[test]
    fn a_load_is_known_by_object_content_and_table() {
        let table = TableName::new("public", "T").expect("a valid name");
        let id = |key: &str, etag: &str| load_id(&S3Uri::new("b", key), etag, 1, &table);
        assert_eq!(id("k", "e"), id("k", "e"));
        assert_ne!(id("k", "e"), id("k", "f"));
        assert_ne!(id("ke", ""), id("k", "e"));
    }

    #[test]
    fn what_was_put_aside_is_known_by_its_own_name() {
        let run = RunId::new();
        let layout = Layout::new("b", "a/x.csv.gz", "t", &run);
        let name = |uri: &S3Uri| name_put_aside(&uri.key);
        let there = [layout.unprocessed(), layout.beside(&layout.unprocessed())];
        assert!(there.iter().all(|uri| name(uri).as_deref() == Some("a/x.csv.gz")), "{there:?}");
        for (key, expected) in [
            ("data/unprocessed/2025/01/a/x_old.csv.gz", Some("a/x_old.csv.gz")),
            ("data/unprocessed/2025/01/ä", Some("ä")),
            ("data/unprocessed/2025/01/", None),
            ("data/in/a/x.csv.gz", None),
        ] {
            assert_eq!(name_put_aside(key).as_deref(), expected, "{key}");
        }
    }
}
