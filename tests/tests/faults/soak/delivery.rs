//! What a producer does: new files, the same again, another one in the place of one that waits.
//!
//! Each delivery has a number, which all its rows carry, so that the tables tell whose rows they
//! are.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use fastrand::Rng;
use loader_aws::connect::{AwsAccess, connect};
use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_model::names::S3Uri;
use loader_tests::{Place, world};
use md5::{Digest, Md5};

/// The tables of a round: merged by key, and appended to.
pub(crate) const TABLES: [&str; 2] = ["keyed", "added"];
/// Keys of the merged table.
const KEYS: u64 = 300;
const MOST_ROWS: usize = 60;
const PAUSES_MILLIS: std::ops::Range<u64> = 20..400;

/// A content that was delivered.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) number: u64,
    pub(crate) table: &'static str,
    pub(crate) ids: Vec<u64>,
    /// Whether a load refuses it.
    pub(crate) is_bad: bool,
    /// Whether another content has come under its name since then.
    pub(crate) is_replaced: bool,
    /// As S3 gives it, without quotes.
    pub(crate) etag: String,
    content: String,
}

/// All that was delivered, by number; and what came last under each name.
#[derive(Default)]
pub(crate) struct Delivered {
    pub(crate) all: BTreeMap<u64, Delivery>,
    last: BTreeMap<String, u64>,
    next: u64,
}

impl Delivered {
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }
}

pub(crate) struct Producer {
    bucket: String,
    store: Store,
    rng: Rng,
    runtime: tokio::runtime::Runtime,
}

impl Producer {
    pub(crate) fn new(place: &Place, rng: Rng) -> Producer {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let access = AwsAccess::new(None, Some(world().dir().to_path_buf()));
        let aws = runtime.block_on(connect(&access)).expect("the stand-in is there");
        let store = Store::new(&aws, Stop::never());
        Producer { bucket: place.name.clone(), store, rng, runtime }
    }

    pub(crate) fn deliver_until(mut self, until: Instant, delivered: &Mutex<Delivered>) {
        while Instant::now() < until {
            self.deliver(&mut delivered.lock().expect("nobody panicked"));
            std::thread::sleep(Duration::from_millis(self.rng.u64(PAUSES_MILLIS)));
        }
    }

    fn deliver(&mut self, delivered: &mut Delivered) {
        let names: Vec<String> = delivered.last.keys().cloned().collect();
        match self.rng.u8(..100) {
            // The same content again, under its own name.
            0..10 if !names.is_empty() => {
                let name = &names[self.rng.usize(..names.len())];
                let number = delivered.last[name];
                let content = delivered.all[&number].content.clone();
                self.put(name, content);
            }
            // Another content in its place, loaded by now or not.
            10..30 if !names.is_empty() => {
                let name = names[self.rng.usize(..names.len())].clone();
                let before = delivered.last[&name];
                let table = delivered.all[&before].table;
                self.new_content(delivered, table, name);
                delivered.all.get_mut(&before).expect("it was delivered").is_replaced = true;
            }
            _ => {
                let table = TABLES[self.rng.usize(..TABLES.len())];
                let name = format!("{table}-{}.csv", delivered.next);
                self.new_content(delivered, table, name);
            }
        }
    }

    fn new_content(&mut self, delivered: &mut Delivered, table: &'static str, name: String) {
        let number = delivered.next;
        delivered.next += 1;
        let is_bad = self.rng.u8(..100) < 6;
        let count = self.rng.usize(1..MOST_ROWS);
        let ids: Vec<u64> = match table {
            "added" => (0..count as u64).map(|row| number * 1_000 + row).collect(),
            _ => {
                let mut ids: Vec<u64> = (0..count).map(|_| self.rng.u64(..KEYS)).collect();
                ids.sort_unstable();
                ids.dedup();
                ids
            }
        };
        let content = self.content(number, &ids, is_bad);
        // It is known before it can be loaded.
        let delivery = Delivery {
            number,
            table,
            ids,
            is_bad,
            is_replaced: false,
            etag: etag_of(&content),
            content: content.clone(),
        };
        delivered.all.insert(number, delivery);
        delivered.last.insert(name.clone(), number);
        self.put(&name, content);
    }

    /// Some contents make their table change: longer texts, larger numbers, another column.
    fn content(&mut self, number: u64, ids: &[u64], is_bad: bool) -> String {
        let note = "n".repeat(if self.rng.u8(..100) < 10 { self.rng.usize(..3000) } else { 5 });
        let large = if self.rng.u8(..100) < 5 { 3_000_000_000 } else { 0 };
        let more = (self.rng.u8(..100) < 10).then(|| self.rng.u8(1..=2));
        let header = more.map(|more| format!(",more{more}")).unwrap_or_default();
        let cell = if more.is_some() { ",1" } else { "" };
        let mut content = format!("id,delivery,n,note{header}\n");
        for id in ids {
            let n = large + id;
            content += &format!("{id},{number},{n},{note}{cell}\n");
        }
        if is_bad {
            content += "1,2\n";
        }
        content
    }

    fn put(&self, name: &str, content: String) {
        let uri = S3Uri::new(&self.bucket, format!("data/in/{name}"));
        let written = self.store.write(&uri, content.into_bytes());
        self.runtime.block_on(written).expect("it is delivered");
    }
}

/// The ETag of an object that was uploaded in one piece.
fn etag_of(content: &str) -> String {
    Md5::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}
