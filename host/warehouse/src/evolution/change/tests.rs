//! The changes over the matrix of types, their SQL, and what must hold of every set of changes.

use loader_model::column_type::UNTYPED;
use proptest::prelude::*;

use super::*;
use crate::saved_view::Grantee;

fn target() -> TableName {
    TableName::new("public", "orders").expect("a valid name")
}

/// The changes, where a new table has no keys.
fn changes(
    wanted: &[TargetColumn],
    existing: Option<&[CatalogColumn]>,
) -> Result<Vec<SchemaChange>, Vec<String>> {
    super::changes(wanted, existing, &TableKeys::default())
}

fn wanted(name: &str, column_type: ColumnType) -> TargetColumn {
    TargetColumn { name: name.into(), column_type, not_null: false, staged_as_text: false }
}

fn existing(name: &str, column_type: ColumnType) -> CatalogColumn {
    CatalogColumn {
        name: name.into(),
        type_text: column_type.to_string().to_lowercase(),
        column_type,
        nullable: true,
        number: 1,
        default: ColumnDefault::None,
    }
}

const fn varchar(bytes: u32) -> ColumnType {
    ColumnType::Varchar { bytes }
}

fn decimal(precision: u8, scale: i8) -> ColumnType {
    ColumnType::Decimal { precision, scale }
}

fn types() -> Vec<ColumnType> {
    use ColumnType::*;
    let plain = [
        SmallInt,
        Integer,
        BigInt,
        Real,
        Double,
        Boolean,
        Date,
        Timestamp,
        TimestampTz,
        Time,
        Super,
        Varbyte { bytes: None },
    ];
    let sized = [decimal(12, 2), decimal(38, 18), varchar(256), varchar(1024), Char { bytes: 8 }];
    plain.into_iter().chain(sized).collect()
}

/// One line for each type of the table: what becomes of it for each wanted type that is not simply
/// impossible.
#[test]
fn every_pair_of_types() {
    let mut lines = String::new();
    for has in types() {
        let mut possible = Vec::new();
        for wants in types() {
            match changes(&[wanted("c", wants.clone())], Some(&[existing("c", has.clone())])) {
                Ok(found) if found.is_empty() => possible.push(format!("holds {wants}")),
                Ok(found) => possible.extend(found.iter().map(SchemaChange::sentence)),
                Err(_) => {}
            }
        }
        lines.push_str(&format!("{has}: {}\n", possible.join(", ")));
    }
    insta::assert_snapshot!(lines, @"
    SMALLINT: holds SMALLINT, widen `c` from SMALLINT to INTEGER; it moves to the end of the table, widen `c` from SMALLINT to BIGINT; it moves to the end of the table
    INTEGER: holds SMALLINT, holds INTEGER, widen `c` from INTEGER to BIGINT; it moves to the end of the table
    BIGINT: holds SMALLINT, holds INTEGER, holds BIGINT
    REAL: holds REAL
    DOUBLE PRECISION: holds DOUBLE PRECISION
    BOOLEAN: holds BOOLEAN
    DATE: holds DATE
    TIMESTAMP: holds TIMESTAMP
    TIMESTAMPTZ: holds TIMESTAMPTZ
    TIME: holds TIME
    SUPER: holds SUPER
    VARBYTE: holds VARBYTE
    DECIMAL(12,2): holds DECIMAL(12,2)
    DECIMAL(38,18): holds DECIMAL(38,18)
    VARCHAR(256): holds VARCHAR(256), widen `c` from VARCHAR(256) to VARCHAR(1024)
    VARCHAR(1024): holds VARCHAR(256), holds VARCHAR(1024)
    CHAR(8): holds CHAR(8)
    ");
}

#[test]
fn all_changes_at_once_in_their_order() {
    let wants = [
        wanted("id", ColumnType::BigInt),
        wanted("new", decimal(38, 18)),
        wanted("note", varchar(1024)),
        wanted("select", ColumnType::Integer),
        wanted("status", varchar(1024)),
    ];
    let has = [
        CatalogColumn { nullable: false, ..existing("id", ColumnType::Integer) },
        CatalogColumn {
            default: ColumnDefault::Expression("7".into()),
            ..existing("select", ColumnType::SmallInt)
        },
        existing("note", varchar(256)),
        CatalogColumn {
            nullable: false,
            default: ColumnDefault::Expression("'it''s new'::character varying".into()),
            ..existing("status", varchar(20))
        },
        existing("untouched", varchar(10)),
    ];
    let extras = ColumnExtras {
        grants: vec![Grant {
            privilege: "SELECT".into(),
            columns: vec!["id".into(), "note".into()],
            grantee: Grantee::Group("readers".into()),
            grantable: false,
        }],
        comments: vec![("id".into(), "the order's".into()), ("note".into(), "free text".into())],
    };
    let found = changes(&wants, Some(&has)).expect("possible");
    let sql = found.iter().flat_map(|change| {
        let head = format!("-- {}", change.sentence());
        std::iter::once(head).chain(change.statements(&target(), &extras))
    });
    insta::assert_snapshot!(sql.collect::<Vec<_>>().join("\n"), @r#"
    -- widen `note` from VARCHAR(256) to VARCHAR(1024)
    ALTER TABLE "public"."orders" ALTER COLUMN "note" TYPE VARCHAR(1024)
    -- widen `id` from INTEGER to BIGINT; it moves to the end of the table, with DEFAULT 0
    ALTER TABLE "public"."orders" ADD COLUMN "_loader_widened" BIGINT DEFAULT 0 NOT NULL
    UPDATE "public"."orders" SET "_loader_widened" = "id"
    ALTER TABLE "public"."orders" DROP COLUMN "id"
    ALTER TABLE "public"."orders" RENAME COLUMN "_loader_widened" TO "id"
    GRANT SELECT ("id") ON "public"."orders" TO GROUP "readers"
    COMMENT ON COLUMN "public"."orders"."id" IS 'the order''s'
    -- add `new` DECIMAL(38,18)
    ALTER TABLE "public"."orders" ADD COLUMN "new" DECIMAL(38,18)
    -- widen `select` from SMALLINT to INTEGER; it moves to the end of the table
    ALTER TABLE "public"."orders" ADD COLUMN "_loader_widened" INTEGER DEFAULT 7
    UPDATE "public"."orders" SET "_loader_widened" = "select"
    ALTER TABLE "public"."orders" DROP COLUMN "select"
    ALTER TABLE "public"."orders" RENAME COLUMN "_loader_widened" TO "select"
    -- widen `status` from VARCHAR(20) to VARCHAR(1024); it moves to the end of the table
    ALTER TABLE "public"."orders" ADD COLUMN "_loader_widened" VARCHAR(1024) DEFAULT 'it''s new'::character varying NOT NULL
    UPDATE "public"."orders" SET "_loader_widened" = "status"
    ALTER TABLE "public"."orders" DROP COLUMN "status"
    ALTER TABLE "public"."orders" RENAME COLUMN "_loader_widened" TO "status"
    "#);
}

#[test]
fn a_missing_table_is_made() {
    let key = TargetColumn { not_null: true, ..wanted("id", ColumnType::Integer) };
    let found = changes(&[key, wanted("note", varchar(256))], None).expect("possible");
    let sql = found[0].statements(&target(), &ColumnExtras::default());
    insta::assert_snapshot!(sql.join("\n"), @r#"CREATE TABLE "public"."orders" ("id" INTEGER NOT NULL, "note" VARCHAR(256))"#);
}

#[test]
fn what_is_impossible_is_listed_whole() {
    let wants = [
        wanted("a", ColumnType::Integer),
        wanted("b", ColumnType::Date),
        wanted("c", ColumnType::BigInt),
    ];
    let has = [
        existing("a", varchar(256)),
        existing("b", ColumnType::Integer),
        CatalogColumn {
            default: ColumnDefault::Identity { by_default: true },
            ..existing("c", ColumnType::Integer)
        },
    ];
    insta::assert_snapshot!(changes(&wants, Some(&has)).expect_err("impossible").join("\n"), @"
    column `a` is VARCHAR(256), which cannot become INTEGER
    column `b` is INTEGER, which cannot become DATE
    column `c` is an IDENTITY column of INTEGER
    ");
}

#[test]
fn a_column_without_values_gives_its_place_to_one_of_a_type() {
    let kept = ColumnExtras {
        grants: Vec::new(),
        comments: vec![("paid_on".into(), "day of payment".into())],
    };
    let has = [existing("paid_on", UNTYPED), existing("note", UNTYPED)];
    let wants = [wanted("paid_on", ColumnType::Date), wanted("note", varchar(1024))];
    let found = changes(&wants, Some(&has)).expect("possible");
    let statements = found.iter().flat_map(|change| change.statements(&target(), &kept));
    insta::assert_snapshot!(statements.collect::<Vec<_>>().join("\n"), @r#"
    ALTER TABLE "public"."orders" ALTER COLUMN "note" TYPE VARCHAR(1024)
    SELECT 1 / (CASE WHEN COUNT(*) = 1 THEN 1 ELSE 0 END) AS same_columns FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname = 'orders' AND a.attnum > 0 AND NOT a.attisdropped AND a.attname || ' ' || format_type(a.atttypid, a.atttypmod) IN ('paid_on character varying(251)')
    SELECT 1 / (CASE WHEN COUNT("paid_on") = 0 THEN 1 ELSE 0 END) AS no_value_yet FROM "public"."orders"
    ALTER TABLE "public"."orders" ADD COLUMN "_loader_widened" DATE
    ALTER TABLE "public"."orders" DROP COLUMN "paid_on"
    ALTER TABLE "public"."orders" RENAME COLUMN "_loader_widened" TO "paid_on"
    COMMENT ON COLUMN "public"."orders"."paid_on" IS 'day of payment'
    "#);
    // A column of which an INSERT may expect something else keeps its type.
    for other in [
        CatalogColumn { nullable: false, ..existing("paid_on", UNTYPED) },
        CatalogColumn {
            default: ColumnDefault::Expression("''".into()),
            ..existing("paid_on", UNTYPED)
        },
        existing("paid_on", varchar(256)),
    ] {
        assert!(changes(&wants[..1], Some(&[other])).is_err());
    }
}

fn any_type() -> impl Strategy<Value = ColumnType> {
    prop_oneof![
        Just(ColumnType::SmallInt),
        Just(ColumnType::Integer),
        Just(ColumnType::BigInt),
        Just(ColumnType::Date),
        // From here on no VARCHAR is a column without a type.
        (252u32..=65535).prop_map(varchar),
        Just(decimal(38, 18)),
    ]
}

fn any_columns() -> impl Strategy<Value = Vec<(usize, ColumnType)>> {
    proptest::collection::btree_map(0usize..6, any_type(), 0..6)
        .prop_map(|columns| columns.into_iter().collect())
}

/// The table after the changes, by what they say and not by what their SQL does.
fn apply(mut table: Vec<CatalogColumn>, found: &[SchemaChange]) -> Vec<CatalogColumn> {
    for change in found {
        match change {
            SchemaChange::AddColumn { name, column_type } => {
                table.push(existing(name, column_type.clone()))
            }
            SchemaChange::WidenVarchar { name, to, .. }
            | SchemaChange::ReplaceColumn { name, to, .. } => {
                table
                    .iter_mut()
                    .filter(|column| column.name == *name)
                    .for_each(|column| column.column_type = to.clone());
            }
            SchemaChange::CreateTable { .. } | SchemaChange::GiveType { .. } => {
                panic!("there is a table, and all its columns have a type")
            }
        }
    }
    table
}

proptest! {
    #[test]
    fn nothing_shrinks_everything_fits_and_a_second_look_finds_nothing(has in any_columns(), wants in any_columns()) {
        let has: Vec<CatalogColumn> = has.iter().map(|(i, t)| existing(&format!("c{i}"), t.clone())).collect();
        let wants: Vec<TargetColumn> = wants.iter().map(|(i, t)| wanted(&format!("c{i}"), t.clone())).collect();
        let Ok(found) = changes(&wants, Some(&has)) else { return Ok(()) };
        let after = apply(has.clone(), &found);
        for column in &has {
            let now = after.iter().find(|now| now.name == column.name).expect("no column goes away");
            prop_assert_eq!(wider(&now.column_type, &column.column_type), Some(now.column_type.clone()));
        }
        for want in &wants {
            let now = after.iter().find(|now| now.name == want.name).expect("it is there");
            prop_assert_eq!(wider(&now.column_type, &want.column_type), Some(now.column_type.clone()));
        }
        prop_assert_eq!(changes(&wants, Some(&after)), Ok(Vec::new()));
    }
}
