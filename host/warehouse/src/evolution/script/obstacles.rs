//! Every reason why a table cannot be changed without a loss, each with its remedy.

use loader_model::column_type::ColumnType;

use crate::catalog::ColumnAttributes;
use crate::dependents::Dependent;
use crate::evolution::change::SchemaChange;
use crate::evolution::script::values::Situation;
use crate::sql::{MAX_BATCH_STATEMENTS, MAX_STATEMENT_BYTES};

/// Statements of a load's transaction that make no view, rounded up.
// A first load has 17 at most: the LOCK, three settings, three guards, the staging table, COPY, CREATE
// TABLE, the counts, DELETE or UPDATE, INSERT, fence, ledger, audit row and report.
const LOAD_STATEMENTS: usize = 17;
/// Encodings whose columns cannot be altered.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html>, ALTER COLUMN TYPE.
const FIXED_ENCODINGS: [&str; 4] = ["bytedict", "runlength", "text255", "text32k"];

/// Every obstacle to the changes. `held`: the views that would be dropped.
pub(super) fn obstacles(
    changes: &[SchemaChange],
    situation: &Situation<'_>,
    held: &[&Dependent],
) -> Vec<String> {
    let mut obstacles: Vec<String> =
        changes.iter().filter_map(|change| column_obstacle(change, situation.attributes)).collect();
    obstacles.extend(held.iter().filter_map(|dependent| dependent.obstacle.clone()));
    obstacles.extend(stale_materialized_views(changes, situation, held));
    obstacles.extend(too_many_views(changes, situation));
    obstacles.extend(too_long_views(situation));
    obstacles
}

/// A key, a declared constraint or an encoding that keeps a column from being widened.
// A VARCHAR is altered in place, where its encoding can be an obstacle. An integer, or a VARCHAR with
// a DEFAULT, is replaced by a new column, which gets a new encoding but cannot be a key. Constraints
// are an obstacle to both.
fn column_obstacle(change: &SchemaChange, attributes: &[ColumnAttributes]) -> Option<String> {
    let (SchemaChange::WidenVarchar { name, to, .. }
    | SchemaChange::ReplaceColumn { name, to, .. }
    | SchemaChange::GiveType { name, to }) = change
    else {
        return None;
    };
    let attributes = attributes.iter().find(|attributes| attributes.name == *name)?;
    let in_place = !change.is_transactional();
    let key = if in_place { None } else { key_obstacle(attributes, to) };
    let encoding = if in_place { encoding_obstacle(attributes) } else { None };
    key.or_else(|| constraint_obstacle(attributes)).or(encoding)
}

/// A distribution or sort key, where a new column would take the old one's place.
fn key_obstacle(attributes: &ColumnAttributes, to: &ColumnType) -> Option<String> {
    let key = match attributes {
        ColumnAttributes { is_distkey: true, .. } => "distribution",
        ColumnAttributes { is_sortkey: true, .. } => "sort",
        ColumnAttributes { .. } => return None,
    };
    Some(format!(
        "column `{}` is a {key} key, which cannot be replaced by another one; make the table anew \
         with {to}",
        attributes.name
    ))
}

fn constraint_obstacle(attributes: &ColumnAttributes) -> Option<String> {
    attributes.is_constrained.then(|| {
        format!(
            "column `{}` is part of a declared key (PRIMARY KEY, UNIQUE or FOREIGN KEY), which \
             Redshift does not alter; drop that constraint, loader merges without it",
            attributes.name
        )
    })
}

/// An encoding that cannot be altered, where the column is altered in place.
fn encoding_obstacle(attributes: &ColumnAttributes) -> Option<String> {
    let ColumnAttributes { name, encoding, .. } = attributes;
    FIXED_ENCODINGS.contains(&encoding.as_str()).then(|| {
        format!(
            "column `{name}` is encoded as {encoding}, which Redshift does not alter; first run \
             ALTER TABLE … ALTER COLUMN {name} ENCODE lzo"
        )
    })
}

/// Materialized views that name the table, where a column's type changes. Any such change may leave
/// a materialized view that cannot be refreshed, whether the view reads the column or not.
fn stale_materialized_views(
    changes: &[SchemaChange],
    situation: &Situation<'_>,
    held: &[&Dependent],
) -> Vec<String> {
    let alters = changes.iter().any(|change| change.altered_column().is_some());
    let views = situation.dependents.materialized.iter();
    // A view that is also held has an obstacle of its own already.
    let unknown = views.filter(|view| !held.iter().any(|other| other.view.name == **view));
    let sentence = |view| {
        format!(
            "{view} is a materialized view of the table, and Redshift could not refresh it any \
             more; drop it before the load and create it again afterwards"
        )
    };
    if alters { unknown.map(sentence).collect() } else { Vec::new() }
}

/// More views in `view_config.json` than a new table can be made with. The load makes the table and
/// its views in one transaction, beside its other statements.
fn too_many_views(changes: &[SchemaChange], situation: &Situation<'_>) -> Option<String> {
    const ROOM: usize = MAX_BATCH_STATEMENTS - LOAD_STATEMENTS;
    let views = situation.configured.len();
    (matches!(changes, [SchemaChange::CreateTable { .. }]) && views > ROOM).then(|| {
        format!(
            "view_config.json has {views} views of the table, and at most {ROOM} can be made \
             together with a table"
        )
    })
}

fn too_long_views<'a>(situation: &'a Situation<'_>) -> impl Iterator<Item = String> + 'a {
    let views = situation.configured.iter();
    views.filter(|view| view.create.len() > MAX_STATEMENT_BYTES).map(|view| {
        let bytes = view.create.len();
        format!(
            "the definition of {} makes a statement of {bytes} bytes, the Data API takes 100,000",
            view.name
        )
    })
}
