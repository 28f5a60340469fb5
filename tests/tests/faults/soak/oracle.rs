//! What must be so when all is quiet: each content that counts is in its table once, with one row
//! in the ledger, one SUCCESS and one object in the archive; views are there; nothing waits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use loader_tests::{Place, run, world};
use serde_json::Value;

use super::delivery::{Delivered, Delivery, TABLES};
use super::program::Project;

/// What a round has come to.
pub(crate) struct Judged {
    pub(crate) rows: usize,
    pub(crate) violations: Vec<String>,
}

/// Makes tables with views, which the loads then have to change.
pub(crate) fn set_up(place: &Place) {
    for table in TABLES {
        for statement in [
            format!(
                "CREATE TABLE {{s}}.{table} (id INTEGER, delivery INTEGER, n INTEGER, note \
                 VARCHAR(20))"
            ),
            format!("CREATE VIEW {{s}}.v_{table} AS SELECT id, n, note FROM {{s}}.{table}"),
            format!("GRANT SELECT ON {{s}}.v_{table} TO PUBLIC"),
        ] {
            place.execute(&statement);
        }
    }
}

pub(crate) fn judge(place: &Place, project: &Project, delivered: &Delivered) -> Judged {
    let mut violations = Vec::new();
    let mut rows = 0;
    let archived = deliveries_below(place, "data/archive");
    for table in TABLES {
        let of_table: Vec<&Delivery> =
            delivered.all.values().filter(|delivery| delivery.table == table).collect();
        let in_table = place.select(&format!("SELECT id, delivery FROM {{s}}.{table}"));
        rows += in_table.len();
        let in_table: Vec<(u64, u64)> =
            in_table.iter().map(|row| (number(&row["id"]), number(&row["delivery"]))).collect();
        let loaded = in_ledger(place, table, &of_table, &mut violations);
        match table {
            "added" => each_once(&loaded, &in_table, &mut violations),
            _ => by_key(&loaded, &in_table, &mut violations),
        }
        must_be_loaded(&of_table, &loaded, &mut violations);
        books(place, table, &loaded, &archived, &mut violations);
    }
    violations.extend(views(place));
    violations.extend(what_lies_about(place, project));
    Judged { rows, violations }
}

/// The contents that the ledger says are loaded.
fn in_ledger<'a>(
    place: &Place,
    table: &str,
    of_table: &[&'a Delivery],
    violations: &mut Vec<String>,
) -> Vec<&'a Delivery> {
    let schema = place.schema();
    let etags = place.select(&format!(
        "SELECT etag FROM {{s}}.loader_loads WHERE target_table = '{schema}.{table}' ORDER BY etag"
    ));
    let etags: Vec<&str> = etags.iter().filter_map(|row| row["etag"].as_str()).collect();
    for twice in etags.windows(2).filter(|two| two[0] == two[1]) {
        violations.push(format!("{table}: the ledger has {} twice", twice[0]));
    }
    let is_loaded = |delivery: &&&Delivery| etags.contains(&delivery.etag.as_str());
    let loaded: Vec<&Delivery> = of_table.iter().filter(is_loaded).copied().collect();
    if loaded.len() != etags.len() {
        violations.push(format!("{table}: the ledger has contents that nobody has delivered"));
    }
    loaded
}

/// An appended table has all rows of each content that is loaded, and no others.
fn each_once(loaded: &[&Delivery], in_table: &[(u64, u64)], violations: &mut Vec<String>) {
    let mut found: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (id, delivery) in in_table {
        found.entry(*delivery).or_default().push(*id);
    }
    for delivery in loaded {
        let mut ids = found.remove(&delivery.number).unwrap_or_default();
        ids.sort_unstable();
        if ids != delivery.ids {
            let (number, rows) = (delivery.number, ids.len());
            violations.push(format!("added: {rows} rows of the loaded delivery {number}"));
        }
    }
    violations.extend(found.keys().map(|number| format!("added: rows of {number}, not loaded")));
}

/// A merged table has one row for each key of the contents that are loaded, with the values of one
/// of them.
fn by_key(loaded: &[&Delivery], in_table: &[(u64, u64)], violations: &mut Vec<String>) {
    let expected: BTreeSet<u64> = loaded.iter().flat_map(|delivery| delivery.ids.clone()).collect();
    let mut found = BTreeSet::new();
    for (id, number) in in_table {
        if !found.insert(*id) {
            violations.push(format!("keyed: key {id} is there twice"));
        }
        let has = |delivery: &&Delivery| delivery.number == *number && delivery.ids.contains(id);
        if !loaded.iter().any(has) {
            violations.push(format!("keyed: key {id} has values of delivery {number}"));
        }
    }
    for id in expected.symmetric_difference(&found) {
        violations.push(format!("keyed: key {id} is missing, or nobody has delivered it"));
    }
}

/// What nothing has replaced must be there, and what is refused must not.
fn must_be_loaded(of_table: &[&Delivery], loaded: &[&Delivery], violations: &mut Vec<String>) {
    for delivery in of_table {
        let number = delivery.number;
        let is_loaded = loaded.iter().any(|loaded| loaded.number == number);
        if delivery.is_bad && is_loaded {
            violations.push(format!("{}: delivery {number} is bad and loaded", delivery.table));
        }
        if !delivery.is_bad && !delivery.is_replaced && !is_loaded {
            violations.push(format!("{}: delivery {number} is lost", delivery.table));
        }
    }
}

/// Fence, audit table and archive have each content that was loaded once.
fn books(
    place: &Place,
    table: &str,
    loaded: &[&Delivery],
    archived: &[u64],
    violations: &mut Vec<String>,
) {
    let count = |sql: String| place.value(&sql).parse::<usize>().unwrap_or_default();
    let of_audit = count(format!(
        "SELECT COUNT(*) FROM {{s}}.job_sts WHERE status = 'SUCCESS' AND target_table_name LIKE \
         '%{table}'"
    ));
    let of_fence = count(format!("SELECT COUNT(*) FROM {{s}}.loader_fence_{table}"));
    if [of_audit, of_fence] != [loaded.len(); 2] {
        violations.push(format!(
            "{table}: {} contents are loaded; fence {of_fence}, SUCCESS {of_audit}",
            loaded.len()
        ));
    }
    for Delivery { number, is_replaced, .. } in loaded {
        let copies = archived.iter().filter(|archived| *archived == number).count();
        // A producer may write over a content that is loaded, and not archived yet.
        if copies != 1 && !(copies == 0 && *is_replaced) {
            violations.push(format!("{table}: {copies} objects of the archive have {number}"));
        }
    }
}

fn views(place: &Place) -> Option<String> {
    let there = "SELECT COUNT(*) FROM svv_relation_privileges WHERE namespace_name = '{s}' AND \
                 relation_name LIKE 'v\\_%' AND identity_type = 'public' AND privilege_type = \
                 'SELECT'";
    let views = place.value(there);
    let dropped = place.value("SELECT COUNT(*) FROM {s}.loader_dropped_views");
    (views != "2").then(|| format!("{views} of 2 views are there; {dropped} pieces in the journal"))
}

/// Nothing waits to be loaded, and once it is old, nothing of a run is left.
fn what_lies_about(place: &Place, project: &Project) -> Vec<String> {
    let bucket = world().dir().join(&place.name);
    crate::stage::age(&bucket.join("data/staging"));
    let ended = run(&mut project.command(&["gc"]));
    let mut wrong: Vec<String> = Vec::new();
    if ended.code != 0 {
        wrong.push(format!("gc: {}", ended.stderr));
    }
    let lies = |folder: &str| {
        let keys = place.keys().into_iter().filter(|key| key.starts_with(folder));
        keys.collect::<Vec<_>>()
    };
    for folder in ["data/in/", "data/staging/"] {
        let left = lies(folder);
        if !left.is_empty() {
            wrong.push(format!("{folder} still has {left:?}"));
        }
    }
    wrong
}

/// The numbers of the deliveries whose contents lie below a folder: the second column has them.
fn deliveries_below(place: &Place, folder: &str) -> Vec<u64> {
    let mut found = Vec::new();
    walk(&world().dir().join(&place.name).join(folder), &mut found);
    found
}

fn walk(dir: &Path, found: &mut Vec<u64>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
            continue;
        }
        let content = std::fs::read_to_string(&path).unwrap_or_default();
        let number: Option<u64> =
            content.lines().nth(1).and_then(|row| row.split(',').nth(1)?.parse().ok());
        found.extend(number);
    }
}

fn number(cell: &Value) -> u64 {
    cell.as_u64().or_else(|| cell.as_str()?.parse().ok()).unwrap_or(u64::MAX)
}
