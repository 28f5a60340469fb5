//! The rows of the journal: written and read back, and what is not read back.

use super::*;
use crate::rows::{Cell, ResultRows};
use crate::saved_view::{Grant, Grantee, ViewKind};

fn name(table: &str) -> TableName {
    TableName { schema: "s".into(), table: table.into() }
}

fn view(table: &str, select: &str) -> SavedView {
    let name = name(table);
    let (kind, create) = SavedView::read_definition(&name, select);
    let grantee = Grantee::Group("readers".into());
    let grant =
        Grant { privilege: "SELECT".into(), columns: vec!["a".into()], grantee, grantable: false };
    SavedView {
        name,
        kind,
        create,
        owner: "ann".into(),
        grants: vec![grant],
        comment: Some("it's".into()),
        column_comments: Vec::new(),
    }
}

fn journal(views: Vec<SavedView>) -> Journal {
    Journal { key: JournalKey { target: name("t"), run_id: "r1".into() }, views }
}

/// The rows of a journal as the warehouse gives them back.
fn rows(journal: &Journal, is_old: bool) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for (place, view) in journal.views.iter().enumerate() {
        let content = serde_json::to_string(&Content { version: VERSION, view }).expect("JSON");
        let parts = parts(&content);
        let count = parts.len();
        for (part, piece) in (1..).zip(parts) {
            let text = |text: &str| Cell::Text(text.into());
            let number = |number: usize| Cell::Long(number as i64);
            rows.push(vec![
                text(&journal.key.target.to_string()),
                text(&journal.key.run_id),
                text(&view.name.schema),
                text(&view.name.table),
                number(place),
                number(part),
                number(count),
                text(piece),
                Cell::Boolean(is_old),
            ]);
        }
    }
    rows
}

fn read(rows: Vec<Vec<Cell>>) -> LeftViews {
    let columns =
        "target_table run_id view_schema view_name place part parts content is_old".split(' ');
    let answer = ResultRows { columns: columns.map(String::from).collect(), rows };
    LeftViews::read(&answer, "s").expect("rows as asked for")
}

#[test]
fn rows_stand_behind_the_lock_of_the_fence() {
    let journal = journal(vec![view("v", "SELECT 'it''s \\\\' AS a;")]);
    let transactions = journal.write_sql().expect("it can be written");
    assert_eq!(transactions.len(), 1);
    insta::assert_snapshot!(transactions.concat().join("\n"), @r#"
    LOCK "s"."loader_fence_t"
    SET timezone TO 'UTC'
    DELETE FROM "s"."loader_dropped_views" WHERE 1 = 0
    INSERT INTO "s"."loader_dropped_views" (target_table, run_id, view_schema, view_name, place, part, parts, content, written_at) VALUES ('s.t', 'r1', 's', 'v', 0, 1, 1, '{"version":1,"name":{"schema":"s","table":"v"},"kind":"bound","create":"CREATE VIEW \\"s\\".\\"v\\" AS SELECT ''it''''s \\\\\\\\'' AS a","owner":"ann","grants":[{"privilege":"SELECT","columns":["a"],"grantee":{"group":"readers"},"grantable":false}],"comment":"it''s","column_comments":[]}', GETDATE())
    "#);
}

#[test]
fn transactions_about_rows_are_guarded() {
    let key = journal(Vec::new()).key;
    let views = [name("v"), name("it's")];
    insta::assert_snapshot!(key.guard(&views).join("\n"), @r#"
    SET enable_result_cache_for_session TO off
    SELECT 1 / (CASE WHEN COUNT(*) = 2 THEN 1 ELSE 0 END) AS still_in_journal FROM "s"."loader_dropped_views" WHERE part = 1 AND target_table = 's.t' AND run_id = 'r1' AND ((view_schema = 's' AND view_name = 'v') OR (view_schema = 's' AND view_name = 'it''s'))
    "#);
    insta::assert_snapshot!(key.delete(&views), @r#"DELETE FROM "s"."loader_dropped_views" WHERE target_table = 's.t' AND run_id = 'r1' AND ((view_schema = 's' AND view_name = 'v') OR (view_schema = 's' AND view_name = 'it''s'))"#);
    insta::assert_snapshot!(key.listed_sql(), @r#"SELECT view_schema, view_name FROM "s"."loader_dropped_views" WHERE part = 1 AND target_table = 's.t' AND run_id = 'r1'"#);
    insta::assert_snapshot!(key.forget_sql(&views).concat().join("\n"), @r#"
    LOCK "s"."loader_fence_t"
    SET enable_result_cache_for_session TO off
    SELECT 1 / (CASE WHEN COUNT(*) = 2 THEN 1 ELSE 0 END) AS still_in_journal FROM "s"."loader_dropped_views" WHERE part = 1 AND target_table = 's.t' AND run_id = 'r1' AND ((view_schema = 's' AND view_name = 'v') OR (view_schema = 's' AND view_name = 'it''s'))
    SELECT 1 / (CASE WHEN COUNT(*) = 2 THEN 1 ELSE 0 END) AS views_exist FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE (n.nspname = 's' AND c.relname = 'v') OR (n.nspname = 's' AND c.relname = 'it''s')
    DELETE FROM "s"."loader_dropped_views" WHERE target_table = 's.t' AND run_id = 'r1' AND ((view_schema = 's' AND view_name = 'v') OR (view_schema = 's' AND view_name = 'it''s'))
    "#);
    insta::assert_snapshot!(key.discard_sql().join("\n"), @r#"
    LOCK "s"."loader_fence_t"
    DELETE FROM "s"."loader_dropped_views" WHERE target_table = 's.t' AND run_id = 'r1'
    "#);
    let many: Vec<TableName> = (0..120).map(|n| name(&format!("v{n}"))).collect();
    let sizes: Vec<usize> = key.forget_sql(&many).iter().map(Vec::len).collect();
    assert_eq!(sizes, [5, 5, 5]);
}

#[test]
fn long_views_are_cut_to_pieces_and_read_whole() {
    let long = |table: &str| view(table, &format!("SELECT '{}' AS a", "ä\\\\\"''".repeat(6_000)));
    let journal = journal(vec![long("v1"), view("v2", "SELECT 1 AS a"), long("v3")]);
    let transactions = journal.write_sql().expect("it can be written");
    assert!(transactions.len() > 1);
    for transaction in &transactions {
        assert!(transaction.len() <= MAX_BATCH_STATEMENTS);
        assert!(transaction.iter().map(String::len).sum::<usize>() <= MAX_STATEMENT_BYTES);
        assert_eq!(transaction[0], "LOCK \"s\".\"loader_fence_t\"");
    }
    let left = read(rows(&journal, true));
    assert_eq!(left.faults, Vec::<String>::new());
    assert_eq!((&left.journals[0].journal, left.journals[0].is_old), (&journal, true));
    assert_eq!(left.of(&name("t")).count(), 1);
    assert_eq!(left.of(&name("other")).count(), 0);
}

#[test]
fn rows_fill_their_transactions() {
    let sizes = |views: Vec<SavedView>| -> Vec<usize> {
        let transactions = journal(views).write_sql().expect("it can be written");
        transactions.iter().map(Vec::len).collect()
    };
    let many = (0..75).map(|n| view(&format!("v{n}"), "SELECT 1 AS a")).collect();
    assert_eq!(sizes(many), [40, 40, 4]);
    // Five rows of 16 KB and a short one for each view. A transaction has room for six of the long.
    let long = |table: &str| view(table, &format!("SELECT '{}' AS a", "x".repeat(80_000)));
    assert_eq!(sizes(vec![long("v1"), long("v2"), view("v3", "SELECT 1 AS a")]), [10, 9]);
}

#[test]
fn what_the_loader_would_not_write_is_named_and_not_read() {
    let fault = |change: fn(&mut Vec<Vec<Cell>>)| {
        let mut rows = rows(&journal(vec![view("v", "SELECT 1 AS a")]), false);
        change(&mut rows);
        let left = read(rows);
        assert_eq!(left.journals.len(), 0);
        left.faults.join("\n")
    };
    fn replace(rows: &mut [Vec<Cell>], from: &str, to: &str) {
        let Cell::Text(content) = &rows[0][7] else { panic!("a text") };
        assert!(content.contains(from), "{content}");
        rows[0][7] = Cell::Text(content.replace(from, to));
    }
    insta::assert_snapshot!(fault(|rows| replace(rows, "CREATE VIEW", "DROP TABLE t --")), @"a row of s.loader_dropped_views (view s.v, run r1) is not as the loader writes it: its definition is not just the CREATE VIEW of that name, or has a comment with a quote or a semicolon; when the view is missing, make it by hand, then delete the row");
    insta::assert_snapshot!(fault(|rows| replace(rows, "SELECT\",", "SELECT ON s.t TO PUBLIC --\",")), @"a row of s.loader_dropped_views (view s.v, run r1) is not as the loader writes it: it has a privilege that the loader does not know; when the view is missing, make it by hand, then delete the row");
    insta::assert_snapshot!(fault(|rows| rows[0][3] = Cell::Text("other".into())), @"a row of s.loader_dropped_views (view s.other, run r1) is not as the loader writes it: its content is about another view; when the view is missing, make it by hand, then delete the row");
    insta::assert_snapshot!(fault(|rows| replace(rows, "\"version\":1", "\"version\":2")), @"a row of s.loader_dropped_views (view s.v, run r1) is not as the loader writes it: it has version 2, and this program reads version 1; a newer program brings it back; when the view is missing, make it by hand, then delete the row");
    insta::assert_snapshot!(fault(|rows| replace(rows, "{\"version\":1,", "")), @"a row of s.loader_dropped_views (view s.v, run r1) is not as the loader writes it: its content is no JSON of the loader; when the view is missing, make it by hand, then delete the row");
    insta::assert_snapshot!(fault(|rows| rows.push(rows[0].clone())), @"a row of s.loader_dropped_views (view s.v, run r1) is not as the loader writes it: rows of it are missing or there twice; when the view is missing, make it by hand, then delete the row");
    insta::assert_snapshot!(fault(|rows| rows[0][6] = Cell::Long(2)), @"a row of s.loader_dropped_views (view s.v, run r1) is not as the loader writes it: rows of it are missing or there twice; when the view is missing, make it by hand, then delete the row");
    insta::assert_snapshot!(fault(|rows| rows[0][0] = Cell::Text("S.t".into())), @"a row of s.loader_dropped_views (view s.v, run r1) is not as the loader writes it: it names no table and run; when the view is missing, make it by hand, then delete the row");
    insta::assert_snapshot!(fault(|rows| rows[0][1] = Cell::Text("r1'\u{1b}[2J".into())), @"a row of s.loader_dropped_views (view s.v, run r1???2J) is not as the loader writes it: it names no table and run; when the view is missing, make it by hand, then delete the row");
}

#[test]
fn many_faults_are_counted() {
    let all = rows(&journal(vec![view("v", "SELECT 1 AS a")]), false);
    let bad = (0..30).map(|place| {
        let mut row = all[0].clone();
        (row[4], row[7]) = (Cell::Long(place), Cell::Text("{}".into()));
        row
    });
    let faults = read(bad.collect()).faults;
    assert_eq!((faults.len(), faults[10].as_str()), (11, "20 more such rows are there"));
}

#[test]
fn a_cut_answer_is_read_as_far_as_it_is_whole() {
    let one = rows(&journal(vec![view("v", "SELECT 1 AS a")]), false).remove(0);
    let row = |place: usize, part: i64, parts: i64| {
        let mut row = one.clone();
        (row[4], row[5], row[6]) = (Cell::Long(place as i64), Cell::Long(part), Cell::Long(parts));
        row
    };
    let cut = (0..999).map(|place| row(place, 1, 1)).chain([row(999, 1, 2)]).collect();
    let left = read(cut);
    assert_eq!((left.journals[0].journal.views.len(), left.faults.len()), (999, 0));
    // Rows of one view alone cannot hide behind the limit.
    let endless = read((1..=1000).map(|part| row(0, part, 2000)).collect());
    assert_eq!((endless.journals.len(), endless.faults.len()), (0, 1));
}

#[test]
fn old_is_what_no_living_run_can_have_written() {
    let of = |run_id: &str, is_old| {
        let mut journal = journal(vec![view("v", "SELECT 1 AS a")]);
        journal.key.run_id = run_id.into();
        rows(&journal, is_old)
    };
    let left = read([of("r2", false), of("r1", true)].concat());
    let found: Vec<(&str, bool)> =
        left.journals.iter().map(|left| (left.journal.key.run_id.as_str(), left.is_old)).collect();
    assert_eq!(found, [("r2", false), ("r1", true)]);
    assert_eq!(left.journals[0].journal.views[0].kind, ViewKind::Bound);
    insta::assert_snapshot!(query("s", Some(&name("t"))), @r#"SELECT target_table, run_id, view_schema, view_name, place, part, parts, content, written_at < DATEADD(minute, -15, GETDATE()) AS is_old FROM "s"."loader_dropped_views" WHERE target_table = 's.t' OR written_at < DATEADD(minute, -15, GETDATE()) ORDER BY CASE WHEN target_table = 's.t' THEN 0 ELSE 1 END, run_id DESC, target_table, place, view_schema, view_name, part LIMIT 1000"#);
    insta::assert_snapshot!(query("s", None), @r#"SELECT target_table, run_id, view_schema, view_name, place, part, parts, content, written_at < DATEADD(minute, -15, GETDATE()) AS is_old FROM "s"."loader_dropped_views" ORDER BY run_id DESC, target_table, place, view_schema, view_name, part LIMIT 1000"#);
}
