//! What a case has come to: rows, ledger, audit, views with their privileges, and objects. Where
//! all is well it is the same for each case, whatever has failed on the way.

use std::collections::BTreeMap;
use std::path::Path;

use loader_tests::world;

use crate::stage::Stage;

/// The state of each case, in lines that have no case's own name in them.
pub(crate) fn of_all(stage: &Stage<'_>, cases: usize) -> Vec<Vec<String>> {
    let facts = facts(stage, cases);
    (0..cases)
        .map(|case| {
            let table = stage.table(case);
            let mut lines = facts.get(&table).cloned().unwrap_or_default();
            lines.extend(objects(&stage.bucket(case)).iter().map(|key| key.replace(&table, "t")));
            lines.sort();
            // A run that failed afterwards, and the next one, both write down what was rejected.
            lines.dedup_by(|a, b| a == b && a.starts_with("object data/rejected/"));
            lines
        })
        .collect()
}

/// What the warehouse has, by table. Loads that failed on the way are no part of it.
fn facts(stage: &Stage<'_>, cases: usize) -> BTreeMap<String, Vec<String>> {
    let rows = (0..cases).map(|case| {
        let table = stage.table(case);
        let row = "'row ' || id || '|' || amount || '|' || note";
        format!("SELECT '{table}' AS t, {row} AS fact FROM {{s}}.{table}")
    });
    let of_tables = [
        "SELECT SUBSTRING(target_table, POSITION('.' IN target_table) + 1) AS t, 'loaded ' || \
         SPLIT_PART(source_uri, '-', 99) || rows AS fact FROM {s}.loader_loads",
        "SELECT target_table_name AS t, 'audited ' || records_read || '|' || records_inserted || \
         '|' || records_updated AS fact FROM {s}.job_sts WHERE status = 'SUCCESS'",
        "SELECT SUBSTRING(viewname, 1, 4) AS t, 'view ' || SUBSTRING(viewname, 5) || ' ' || \
         definition AS fact FROM pg_views WHERE schemaname = '{s}'",
        "SELECT SUBSTRING(relation_name, 1, 4) AS t, 'grant ' || SUBSTRING(relation_name, 5) || \
         privilege_type || identity_type AS fact FROM svv_relation_privileges WHERE \
         namespace_name = '{s}'",
        "SELECT target_table AS t, 'dropped ' || view_name AS fact FROM {s}.loader_dropped_views",
    ];
    let queries: Vec<String> = rows.chain(of_tables.map(str::to_owned)).collect();
    let mut facts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in stage.place.select(&queries.join(" UNION ALL ")) {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let table = text("t");
        // A table's schema may stand before it.
        let table = table.rsplit('.').next().unwrap_or_default().to_owned();
        facts.entry(table.clone()).or_default().push(text("fact").replace(&table, "t"));
    }
    facts
}

/// The keys of a bucket, but for the logs, of which each run has one.
fn objects(bucket: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let root = world().dir().join(bucket);
    collect(&root, &root, &mut keys);
    keys.retain(|key| !key.starts_with("logs/"));
    keys.iter().map(|key| format!("object {}", loader_tests::without_times(key))).collect()
}

fn collect(root: &Path, dir: &Path, keys: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => collect(root, &path, keys),
            false => {
                let key = path.strip_prefix(root).unwrap_or(&path);
                keys.push(key.to_string_lossy().into_owned());
            }
        }
    }
}
