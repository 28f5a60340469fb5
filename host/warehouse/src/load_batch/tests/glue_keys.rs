//! The statements about text keys that the Glue job may have spelt otherwise.

use super::*;

/// A key that is a text.
static BY_TEXT: std::sync::LazyLock<[String; 1]> =
    std::sync::LazyLock::new(|| ["select".to_owned()]);

/// What a merge by a text into a table that exists does about the Glue job's spelling.
fn with_glue_keys(glue_keys: GlueKeys) -> String {
    let text = text_of(|batch| {
        batch.creation = &[];
        batch.keys = &*BY_TEXT;
        batch.glue_keys = glue_keys;
    });
    let new = ["RespeltKeyGuard", "OneKeyGuard", "Respell"];
    let lines = text.lines().filter(|line| new.iter().any(|role| line.starts_with(role)));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn keys_that_the_glue_job_spelt_otherwise_are_refused_or_matched() {
    assert_eq!(with_glue_keys(GlueKeys::AsTheyStand), "");
    let refused = with_glue_keys(GlueKeys::Refused);
    insta::assert_snapshot!(refused, @r#"RespeltKeyGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS no_respelt_keys FROM (SELECT DISTINCT "select" FROM loader_stage) AS r JOIN "public"."orders" AS t ON CASE WHEN RTRIM(t."select") ~ '^-?(0|[1-9][0-9]*)([.]([0-9]{18}|[0-9]*[1-9]|0))?$' THEN CASE WHEN RTRIM(t."select") LIKE '-%' THEN ' -' ELSE ' ' END || RTRIM(RTRIM(LTRIM(CASE WHEN RTRIM(t."select") LIKE '%.%' THEN RTRIM(t."select") ELSE RTRIM(t."select") || '.' END, '+-0'), '0'), '.') WHEN RTRIM(t."select") ~ '^".*"".*"$' THEN BTRIM(REPLACE(SUBSTRING(RTRIM(t."select"), 2, LENGTH(RTRIM(t."select")) - 2), '""', '"'), ' 	') ELSE RTRIM(t."select") END = CASE WHEN BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)$' THEN CASE WHEN BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') LIKE '-%' THEN ' -' ELSE ' ' END || RTRIM(RTRIM(LTRIM(CASE WHEN BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') LIKE '%.%' THEN BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') ELSE BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') || '.' END, '+-0'), '0'), '.') ELSE BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') END WHERE NOT EXISTS (SELECT 1 FROM "public"."orders" AS e WHERE e."select" = r."select")"#);
    insta::assert_snapshot!(with_glue_keys(GlueKeys::Matched), @r#"
    OneKeyGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS no_keys_that_become_one FROM (SELECT 1 AS twice FROM (SELECT DISTINCT "select" FROM loader_stage) AS r GROUP BY CASE WHEN BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)$' THEN CASE WHEN BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') LIKE '-%' THEN ' -' ELSE ' ' END || RTRIM(RTRIM(LTRIM(CASE WHEN BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') LIKE '%.%' THEN BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') ELSE BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') || '.' END, '+-0'), '0'), '.') ELSE BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') END HAVING COUNT(*) > 1) AS d
    Respell: UPDATE "public"."orders" SET "select" = respelt."select" FROM (SELECT "select" FROM (SELECT DISTINCT "select" FROM loader_stage) AS r WHERE NOT EXISTS (SELECT 1 FROM "public"."orders" AS e WHERE e."select" = r."select")) AS respelt WHERE CASE WHEN RTRIM("public"."orders"."select") ~ '^-?(0|[1-9][0-9]*)([.]([0-9]{18}|[0-9]*[1-9]|0))?$' THEN CASE WHEN RTRIM("public"."orders"."select") LIKE '-%' THEN ' -' ELSE ' ' END || RTRIM(RTRIM(LTRIM(CASE WHEN RTRIM("public"."orders"."select") LIKE '%.%' THEN RTRIM("public"."orders"."select") ELSE RTRIM("public"."orders"."select") || '.' END, '+-0'), '0'), '.') WHEN RTRIM("public"."orders"."select") ~ '^".*"".*"$' THEN BTRIM(REPLACE(SUBSTRING(RTRIM("public"."orders"."select"), 2, LENGTH(RTRIM("public"."orders"."select")) - 2), '""', '"'), ' 	') ELSE RTRIM("public"."orders"."select") END = CASE WHEN BTRIM(REPLACE(respelt."select", '\\\\', '\\'), ' 	') ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)$' THEN CASE WHEN BTRIM(REPLACE(respelt."select", '\\\\', '\\'), ' 	') LIKE '-%' THEN ' -' ELSE ' ' END || RTRIM(RTRIM(LTRIM(CASE WHEN BTRIM(REPLACE(respelt."select", '\\\\', '\\'), ' 	') LIKE '%.%' THEN BTRIM(REPLACE(respelt."select", '\\\\', '\\'), ' 	') ELSE BTRIM(REPLACE(respelt."select", '\\\\', '\\'), ' 	') || '.' END, '+-0'), '0'), '.') ELSE BTRIM(REPLACE(respelt."select", '\\\\', '\\'), ' 	') END
    "#);
}

#[test]
fn keys_that_are_no_texts_cost_no_statement() {
    for glue_keys in [GlueKeys::AsTheyStand, GlueKeys::Refused, GlueKeys::Matched] {
        let text = text_of(|batch| (batch.creation, batch.glue_keys) = (&[], glue_keys));
        assert!(!text.contains('~'), "{text}");
    }
}

#[test]
fn only_texts_of_a_table_that_exists_may_be_spelt_otherwise() {
    let found = |creation: &'static [String], keys: &'static [String]| {
        let mut found = Vec::new();
        text_of(|batch| {
            (batch.creation, batch.keys) = (creation, keys);
            found = text_keys(batch).into_iter().map(str::to_owned).collect();
        });
        found
    };
    let both: &[String] = Vec::leak(vec!["id".to_owned(), "select".to_owned()]);
    assert_eq!(found(&[], both), ["select"]);
    assert_eq!(found(&[], &both[..1]), Vec::<String>::new());
    assert_eq!(found(Vec::leak(vec!["CREATE TABLE t".to_owned()]), both), Vec::<String>::new());
}

#[test]
fn keys_that_were_refused_are_shown_beside_the_stored_ones() {
    let told = |keys: &'static [String]| {
        let statements = built(|batch| {
            (batch.creation, batch.columns, batch.keys) = (&[], two_texts(), keys);
            batch.glue_keys = GlueKeys::Refused;
        });
        let mut told = statements.telling(StatementRole::RespeltKeyGuard).expect("it has keys");
        told.pop().expect("a statement")
    };
    insta::assert_snapshot!(told(&*BY_TEXT), @r#"SELECT staged, stored, COUNT(*) OVER () AS found, SUM(quoted) OVER () AS quoted FROM (SELECT DISTINCT r."select" AS staged, t."select" AS stored, CASE WHEN t."select" ~ '^".*"".*"$' THEN 1 ELSE 0 END AS quoted FROM (SELECT DISTINCT "select" FROM loader_stage) AS r JOIN "public"."orders" AS t ON CASE WHEN RTRIM(t."select") ~ '^-?(0|[1-9][0-9]*)([.]([0-9]{18}|[0-9]*[1-9]|0))?$' THEN CASE WHEN RTRIM(t."select") LIKE '-%' THEN ' -' ELSE ' ' END || RTRIM(RTRIM(LTRIM(CASE WHEN RTRIM(t."select") LIKE '%.%' THEN RTRIM(t."select") ELSE RTRIM(t."select") || '.' END, '+-0'), '0'), '.') WHEN RTRIM(t."select") ~ '^".*"".*"$' THEN BTRIM(REPLACE(SUBSTRING(RTRIM(t."select"), 2, LENGTH(RTRIM(t."select")) - 2), '""', '"'), ' 	') ELSE RTRIM(t."select") END = CASE WHEN BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)$' THEN CASE WHEN BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') LIKE '-%' THEN ' -' ELSE ' ' END || RTRIM(RTRIM(LTRIM(CASE WHEN BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') LIKE '%.%' THEN BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') ELSE BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') || '.' END, '+-0'), '0'), '.') ELSE BTRIM(REPLACE(r."select", '\\\\', '\\'), ' 	') END WHERE NOT EXISTS (SELECT 1 FROM "public"."orders" AS e WHERE e."select" = r."select")) AS d ORDER BY staged, stored LIMIT 3"#);
    let both = Vec::leak(vec!["select".to_owned(), "site".to_owned()]);
    let told = told(both);
    let shown = told.split_once(" FROM (SELECT DISTINCT \"select\"").map(|(shown, _)| shown);
    insta::assert_snapshot!(shown.unwrap_or_default(), @r#"SELECT staged, stored, COUNT(*) OVER () AS found, SUM(quoted) OVER () AS quoted FROM (SELECT DISTINCT r."select" || ' / ' || r."site" AS staged, t."select" || ' / ' || t."site" AS stored, CASE WHEN t."select" ~ '^".*"".*"$' OR t."site" ~ '^".*"".*"$' THEN 1 ELSE 0 END AS quoted"#);
}

/// The columns of a table of texts.
fn two_texts() -> &'static [TargetColumn] {
    let column = |name: &str| TargetColumn {
        name: name.into(),
        column_type: ColumnType::Varchar { bytes: 256 },
        not_null: false,
        staged_as_text: false,
    };
    Vec::leak(vec![column("select"), column("site")])
}

#[test]
fn keys_that_were_stored_with_their_quotes_can_be_mended() {
    let target = TableName::new("public", "orders").expect("a valid name");
    insta::assert_snapshot!(unquote(&target, "select"), @r#"UPDATE "public"."orders" SET "select" = REPLACE(SUBSTRING("select", 2, LENGTH("select") - 2), '""', '"') WHERE "select" ~ '^".*"".*"$'"#);
}
