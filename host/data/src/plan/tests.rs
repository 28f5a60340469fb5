//! What a file's column becomes in each type of target column.

mod feeds;
mod first_values;
mod keys;
mod known_columns;
mod missing_columns;
mod named;
mod new_columns;

use loader_csv::{ColumnRule, Dialect, FileProfile, Header, Meant, Splitter, profile_chunk};
use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::choices::{AnotherFeed, MissingColumns, StagingFormat};
use loader_model::column_type::ColumnType;

use super::*;
use crate::column_spec::{ColumnSpec, SpecSource};

fn profile(case: &Case<'_>) -> (Header, FileProfile) {
    let Case { csv, dialect, .. } = case;
    let mut splitter = Splitter::new(dialect, 1 << 20);
    let mut chunks = splitter.push(csv.as_bytes()).expect("reads");
    chunks.extend(splitter.finish().expect("ends"));
    let mut header = splitter.header().expect("a header").clone();
    if !case.meant.is_empty() {
        header = Header::of_columns(header.names, case.meant.to_vec());
    }
    let rules = case.columns.iter().map(|spec| spec.as_ref().map(|spec| spec.rule.clone()));
    let header = header.with_rules(rules.collect());
    let chunks = chunks.iter().map(|chunk| {
        let bytes = &csv.as_bytes()[chunk.offset as usize..(chunk.offset + chunk.len) as usize];
        profile_chunk(bytes, chunk, &header, dialect)
    });
    let profile = FileProfile::merge(&header, chunks).expect("merges");
    (header, profile)
}

struct Case<'a> {
    csv: &'a str,
    existing: Option<&'a [CatalogColumn]>,
    without_values: &'a [String],
    keys: &'a [String],
    schema_policy: SchemaPolicy,
    missing_columns: MissingColumns,
    keeps_known: bool,
    another_feed: AnotherFeed,
    dialect: Dialect,
    column_names: Option<&'a [String]>,
    columns: &'a [Option<ColumnSpec>],
    unplaced: &'a [ColumnSpec],
    types: &'a [Option<ColumnType>],
    meant: &'a [Option<Meant>],
    mixed: &'a [Option<String>],
    staging_format: StagingFormat,
}

impl Case<'_> {
    fn plan(&self) -> Result<LoadPlan> {
        let (header, profile) = profile(self);
        let target = TableName::new("public", "t")?;
        run(&PlanInput {
            dialect: &self.dialect,
            header: &header,
            column_names: self.column_names,
            columns: self.columns,
            unplaced: self.unplaced,
            types: self.types,
            mixed: self.mixed,
            profile: &profile,
            target: &target,
            existing: self.existing,
            without_values: self.without_values,
            keys: self.keys,
            plugins: &[],
            schema_policy: self.schema_policy,
            missing_columns: self.missing_columns,
            keeps_known: self.keeps_known,
            another_feed: self.another_feed,
            staging_format: self.staging_format,
        })
    }

    fn error(&self) -> String {
        let error = self.plan().err().expect("must be refused");
        format!("{:?}: {error}", error.kind())
    }
}

fn case<'a>(csv: &'a str, existing: &'a [CatalogColumn]) -> Case<'a> {
    Case { existing: Some(existing), ..new_table(csv) }
}

/// A file for a table that does not exist yet.
fn new_table(csv: &str) -> Case<'_> {
    Case {
        csv,
        existing: None,
        without_values: &[],
        keys: &[],
        schema_policy: SchemaPolicy::Evolve,
        missing_columns: MissingColumns::Default,
        keeps_known: true,
        another_feed: AnotherFeed::Refuse,
        dialect: Dialect::default(),
        column_names: None,
        columns: &[],
        unplaced: &[],
        types: &[],
        meant: &[],
        mixed: &[],
        staging_format: StagingFormat::Parquet,
    }
}

/// What the plan makes of the file: a line for each column, then the notices.
fn told(case: &Case<'_>) -> String {
    let plan = match case.plan() {
        Ok(plan) => plan,
        Err(error) => return format!("{:?}: {error}", error.kind()),
    };
    let in_target = plan.target_columns(&plan.longest_known());
    let columns = in_target.iter().zip(&plan.rows.columns).map(|(column, planned)| {
        let not_null = if column.not_null { " NOT NULL" } else { "" };
        let why = planned.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
        format!("{} {}{not_null}{why}", column.name, column.column_type)
    });
    columns.chain(plan.notices.iter().cloned()).collect::<Vec<_>>().join("\n")
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// What the user says of a column on the command line.
fn spec(name: &str) -> ColumnSpec {
    ColumnSpec {
        name: name.to_owned(),
        rename: None,
        rule: ColumnRule::default(),
        column_type: None,
        source: SpecSource::Flag,
    }
}

fn column(name: &str, column_type: ColumnType) -> CatalogColumn {
    CatalogColumn {
        name: name.into(),
        type_text: column_type.to_string().to_lowercase(),
        column_type,
        nullable: true,
        number: 1,
        default: ColumnDefault::None,
    }
}

/// The columns of a table of integers.
fn integers(names: &[&str]) -> Vec<CatalogColumn> {
    let numbered = names.iter().zip(1..);
    let numbered = numbered
        .map(|(name, number)| CatalogColumn { number, ..column(name, ColumnType::Integer) });
    numbered.collect()
}

fn types() -> Vec<ColumnType> {
    use ColumnType::*;
    let numbers = [SmallInt, Integer, BigInt, Decimal { precision: 12, scale: 2 }, Real, Double];
    let others = [
        Boolean,
        Date,
        Timestamp,
        TimestampTz,
        Time,
        Varchar { bytes: 20 },
        Char { bytes: 3 },
        Super,
        Varbyte { bytes: None },
    ];
    numbers.into_iter().chain(others).chain([Other("geometry".into())]).collect()
}

#[test]
fn every_kind_of_value_in_every_type_of_column() {
    let long = "x".repeat(300);
    let values = [
        ("boolean", "true"),
        ("small", "7"),
        ("integer", "70000"),
        ("bigint", "3000000000"),
        ("decimal", "1.255"),
        ("big decimal", "12345678901.5"),
        ("double", "1e300"),
        ("leading zeros", "007"),
        ("date", "2025-01-31"),
        ("timestamp", "2025-01-31 10:30:00"),
        ("text", "abcd"),
        ("long text", &long),
        ("nothing", ""),
    ];
    let mut lines = String::new();
    for (name, value) in values {
        let mut row = Vec::new();
        for column_type in types() {
            let existing = [column("c", column_type.clone())];
            let outcome = match case(&format!("c,d\n{value},x\n"), &existing).plan() {
                Ok(plan) => {
                    let now = plan.target_columns(&plan.longest_known())[0].column_type.clone();
                    if now == column_type { "fits".to_owned() } else { format!("-> {now}") }
                }
                Err(error) => format!("{:?}", error.kind()),
            };
            row.push(format!("{column_type} {outcome}"));
        }
        lines.push_str(&format!("{name}: {}\n", row.join(", ")));
    }
    insta::assert_snapshot!(lines, @"
    boolean: SMALLINT Data, INTEGER Data, BIGINT Data, DECIMAL(12,2) Data, REAL Data, DOUBLE PRECISION Data, BOOLEAN fits, DATE Data, TIMESTAMP Data, TIMESTAMPTZ Data, TIME fits, VARCHAR(20) fits, CHAR(3) SchemaConflict, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    small: SMALLINT fits, INTEGER fits, BIGINT fits, DECIMAL(12,2) fits, REAL fits, DOUBLE PRECISION fits, BOOLEAN Data, DATE Data, TIMESTAMP Data, TIMESTAMPTZ Data, TIME fits, VARCHAR(20) fits, CHAR(3) fits, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    integer: SMALLINT -> INTEGER, INTEGER fits, BIGINT fits, DECIMAL(12,2) fits, REAL fits, DOUBLE PRECISION fits, BOOLEAN Data, DATE Data, TIMESTAMP Data, TIMESTAMPTZ Data, TIME fits, VARCHAR(20) fits, CHAR(3) SchemaConflict, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    bigint: SMALLINT -> BIGINT, INTEGER -> BIGINT, BIGINT fits, DECIMAL(12,2) fits, REAL fits, DOUBLE PRECISION fits, BOOLEAN Data, DATE Data, TIMESTAMP Data, TIMESTAMPTZ Data, TIME fits, VARCHAR(20) fits, CHAR(3) SchemaConflict, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    decimal: SMALLINT SchemaConflict, INTEGER SchemaConflict, BIGINT SchemaConflict, DECIMAL(12,2) fits, REAL fits, DOUBLE PRECISION fits, BOOLEAN Data, DATE Data, TIMESTAMP Data, TIMESTAMPTZ Data, TIME fits, VARCHAR(20) fits, CHAR(3) SchemaConflict, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    big decimal: SMALLINT SchemaConflict, INTEGER SchemaConflict, BIGINT SchemaConflict, DECIMAL(12,2) Data, REAL fits, DOUBLE PRECISION fits, BOOLEAN Data, DATE Data, TIMESTAMP Data, TIMESTAMPTZ Data, TIME fits, VARCHAR(20) fits, CHAR(3) SchemaConflict, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    double: SMALLINT SchemaConflict, INTEGER SchemaConflict, BIGINT SchemaConflict, DECIMAL(12,2) Data, REAL fits, DOUBLE PRECISION fits, BOOLEAN Data, DATE Data, TIMESTAMP Data, TIMESTAMPTZ Data, TIME fits, VARCHAR(20) fits, CHAR(3) SchemaConflict, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    leading zeros: SMALLINT Data, INTEGER Data, BIGINT Data, DECIMAL(12,2) Data, REAL Data, DOUBLE PRECISION Data, BOOLEAN Data, DATE Data, TIMESTAMP Data, TIMESTAMPTZ Data, TIME fits, VARCHAR(20) fits, CHAR(3) fits, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    date: SMALLINT Data, INTEGER Data, BIGINT Data, DECIMAL(12,2) Data, REAL Data, DOUBLE PRECISION Data, BOOLEAN Data, DATE fits, TIMESTAMP fits, TIMESTAMPTZ fits, TIME fits, VARCHAR(20) fits, CHAR(3) SchemaConflict, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    timestamp: SMALLINT Data, INTEGER Data, BIGINT Data, DECIMAL(12,2) Data, REAL Data, DOUBLE PRECISION Data, BOOLEAN Data, DATE Data, TIMESTAMP fits, TIMESTAMPTZ fits, TIME fits, VARCHAR(20) fits, CHAR(3) SchemaConflict, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    text: SMALLINT Data, INTEGER Data, BIGINT Data, DECIMAL(12,2) Data, REAL Data, DOUBLE PRECISION Data, BOOLEAN Data, DATE Data, TIMESTAMP Data, TIMESTAMPTZ Data, TIME fits, VARCHAR(20) fits, CHAR(3) SchemaConflict, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    long text: SMALLINT Data, INTEGER Data, BIGINT Data, DECIMAL(12,2) Data, REAL Data, DOUBLE PRECISION Data, BOOLEAN Data, DATE Data, TIMESTAMP Data, TIMESTAMPTZ Data, TIME fits, VARCHAR(20) -> VARCHAR(1024), CHAR(3) SchemaConflict, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    nothing: SMALLINT fits, INTEGER fits, BIGINT fits, DECIMAL(12,2) fits, REAL fits, DOUBLE PRECISION fits, BOOLEAN fits, DATE fits, TIMESTAMP fits, TIMESTAMPTZ fits, TIME fits, VARCHAR(20) fits, CHAR(3) fits, SUPER fits, VARBYTE fits, GEOMETRY SchemaConflict
    ");
}

#[test]
fn all_offending_columns_are_named_with_their_places() {
    let existing = [
        column("a", ColumnType::Integer),
        column("b", ColumnType::Decimal { precision: 4, scale: 2 }),
        column("c", ColumnType::Char { bytes: 2 }),
    ];
    insta::assert_snapshot!(case("a,b,c\n1,2,x\n1.5,123.4,x\n", &existing).error(), @"SchemaConflict: the file does not fit public.t: column `a` is INTEGER, the number in line 3, byte 12 is not whole; column `b` is DECIMAL(4,2), the value in line 3, byte 16 is not (a DECIMAL(4,2) has 2 digits before its point); change the table or the file so that they agree");
    insta::assert_snapshot!(case("a,b,c\nx,2,x\n1,1,long\n", &existing).error(), @r#"SchemaConflict: the file does not fit public.t: column `a` is INTEGER, the value in line 2, byte 6 is not (numbers are written 1234.56, or as [columns."a"] of the settings says); column `c` is CHAR(2), the text in line 3, byte 16 has 4 bytes; change the table or the file so that they agree"#);
}

#[test]
fn policies_that_keep_the_table() {
    let existing =
        [column("a", ColumnType::SmallInt), column("b", ColumnType::Varchar { bytes: 2 })];
    let csv = "a,b,c\n70000,long,1\n";
    let freeze = Case { schema_policy: SchemaPolicy::Freeze, ..case(csv, &existing) };
    insta::assert_snapshot!(freeze.error(), @"SchemaConflict: the file does not fit public.t: column `a` is SMALLINT, the file has whole numbers from 70000 to 70000; column `b` is VARCHAR(2), the text in line 2, byte 12 has 4 bytes; column `c` is new; --schema-policy freeze keeps the table as it is, evolve would change it where it can");
    let discard = Case { schema_policy: SchemaPolicy::DiscardColumns, ..case(csv, &existing) };
    insta::assert_snapshot!(discard.error(), @"SchemaConflict: the file does not fit public.t: column `a` is SMALLINT, the file has whole numbers from 70000 to 70000; column `b` is VARCHAR(2), the text in line 2, byte 12 has 4 bytes; --schema-policy discard-columns keeps the table as it is, evolve would change it where it can");
    let discard = Case { csv: "a,b,c\n1,x,1\n", ..discard };
    let plan = discard.plan().expect("fits");
    assert_eq!((plan.rows.columns.len(), plan.discarded), (2, vec!["c".to_owned()]));
}

#[test]
fn columns_that_the_file_lacks() {
    let mut existing: Vec<CatalogColumn> = types()
        .into_iter()
        .enumerate()
        .map(|(i, column_type)| column(&format!("c{i:02}"), column_type))
        .collect();
    existing.push(CatalogColumn {
        default: ColumnDefault::Expression("5".into()),
        ..column("with_default", ColumnType::Integer)
    });
    existing.push(CatalogColumn {
        default: ColumnDefault::Identity { by_default: false },
        ..column("numbered", ColumnType::BigInt)
    });
    existing.push(column("a", ColumnType::Integer));
    let mut lines = String::new();
    for missing_columns in [MissingColumns::Default, MissingColumns::Null, MissingColumns::Keep] {
        let plan = Case { missing_columns, ..case("a\n1\n", &existing) }.plan().expect("fits");
        let fills = plan.filled.iter().zip(&existing).map(|(filled, column)| {
            let fill = match filled.fill {
                loader_model::target_column::Fill::Default => "DEFAULT",
                loader_model::target_column::Fill::Literal(literal) => literal,
                loader_model::target_column::Fill::Nothing => "nothing",
            };
            format!("{} {fill}", column.column_type)
        });
        lines.push_str(&format!("{missing_columns:?}: {}\n", fills.collect::<Vec<_>>().join(", ")));
    }
    insta::assert_snapshot!(lines, @"
    Default: SMALLINT 0, INTEGER 0, BIGINT 0, DECIMAL(12,2) 0, REAL 0, DOUBLE PRECISION 0, BOOLEAN FALSE, DATE NULL, TIMESTAMP NULL, TIMESTAMPTZ NULL, TIME NULL, VARCHAR(20) '', CHAR(3) '', SUPER NULL, VARBYTE CAST('' AS VARBYTE), GEOMETRY NULL, INTEGER DEFAULT, BIGINT DEFAULT
    Null: SMALLINT NULL, INTEGER NULL, BIGINT NULL, DECIMAL(12,2) NULL, REAL NULL, DOUBLE PRECISION NULL, BOOLEAN NULL, DATE NULL, TIMESTAMP NULL, TIMESTAMPTZ NULL, TIME NULL, VARCHAR(20) NULL, CHAR(3) NULL, SUPER NULL, VARBYTE NULL, GEOMETRY NULL, INTEGER NULL, BIGINT DEFAULT
    Keep: SMALLINT NULL, INTEGER NULL, BIGINT NULL, DECIMAL(12,2) NULL, REAL NULL, DOUBLE PRECISION NULL, BOOLEAN NULL, DATE NULL, TIMESTAMP NULL, TIMESTAMPTZ NULL, TIME NULL, VARCHAR(20) NULL, CHAR(3) NULL, SUPER NULL, VARBYTE NULL, GEOMETRY NULL, INTEGER DEFAULT, BIGINT DEFAULT
    ");
}

#[test]
fn what_nothing_can_fill() {
    let strict = [
        column("a", ColumnType::Integer),
        CatalogColumn { nullable: false, ..column("day", ColumnType::Date) },
        CatalogColumn {
            default: ColumnDefault::Identity { by_default: false },
            ..column("n", ColumnType::BigInt)
        },
    ];
    insta::assert_snapshot!(case("a,n\n1,1\n", &strict).error(), @"SchemaConflict: the file does not fit public.t: column `n` is an IDENTITY column, whose values Redshift makes; column `day` is DATE NOT NULL and is missing in the file; change the table or the file so that they agree");
    let null = Case { missing_columns: MissingColumns::Null, ..case("a\n1\n", &strict) };
    insta::assert_snapshot!(null.error(), @"SchemaConflict: the file does not fit public.t: column `day` is DATE NOT NULL and is missing in the file; change the table or the file so that they agree");
    // Rows that are there may be changed without it.
    let keep = Case { missing_columns: MissingColumns::Keep, ..case("a\n1\n", &strict) };
    assert_eq!(keep.plan().expect("fits").unfilled(), ["day"]);
    let keys = ["a".to_owned(), "b".to_owned()];
    let new_key = Case { keys: &keys, ..case("a,b\n1,1\n", &strict[..1]) };
    insta::assert_snapshot!(new_key.error(), @"SchemaConflict: the file does not fit public.t: upsert key `b` is no column of the table, so no row could be found by it; change the table or the file so that they agree");
}

#[test]
fn a_header_lands_in_the_column_that_is_alike_once_clean() {
    let existing = [
        column("order id", ColumnType::BigInt),
        column("unit-price", ColumnType::Integer),
        column("unit price", ColumnType::Integer),
    ];
    let keys = |keys: &[&str]| -> Result<Vec<String>> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let case = Case { keys: &keys, ..case("Order-ID,unit-price\n1,2\n", &existing) };
        case.plan().map(|plan| plan.keys)
    };
    for key in ["order id", "order-id", "order_id", "Order  Id"] {
        assert_eq!(keys(&[key]).expect("is a key"), ["order id"], "{key}");
    }
    insta::assert_snapshot!(keys(&["order_id", "order id"]).unwrap_err(), @"--upsert-keys names the column `order id` twice, once as `order id`");
    insta::assert_snapshot!(keys(&["id"]).unwrap_err(), @"--upsert-keys names `id`, which is no column of the transformed file; it has: order id, unit-price");
    insta::assert_snapshot!(case("order-id,order_id\n1,2\n", &existing).error(), @"SchemaConflict: the columns `order-id` and `order_id` of the file both mean the column `order id` of public.t; name one of them otherwise with --column-names, or add to the table a column for each, spelt as in the file");
    insta::assert_snapshot!(case("order_id,unit_price\n1,2\n", &existing).error(), @"SchemaConflict: the column `unit_price` of the file may mean `unit-price` or `unit price` of public.t; spell it as the table does, in the header or with --column-names");
}

#[test]
fn names_fold_and_those_that_cannot_be_are_all_refused_at_once() {
    let existing = [column("id", ColumnType::Integer), column("Äb", ColumnType::Integer)];
    let plan = case("Id,Äb\n1,2\n", &existing).plan().expect("fits");
    assert_eq!(
        plan.rows.columns.iter().map(|column| &*column.name).collect::<Vec<_>>(),
        ["id", "Äb"]
    );
    insta::assert_snapshot!(case("id,ID,ctid, ,_loader_row,\n1,1,1,1,1,1\n", &existing).error(), @r#"Data: header "ID" (column 2) has the name id, as header "id" (column 1) has; header "ctid" (column 3) has the name ctid, which Redshift keeps for its own columns; header " " (column 4) has no name; header "_loader_row" (column 5) has the name _loader_row, which is one that the loader keeps for itself; column 6 has no name; name the columns with --column-names, or correct the header in the file"#);
}

#[test]
fn a_file_that_is_none_of_the_tables() {
    let existing = integers(&["a", "b", "c", "d"]);
    let told = |csv: &str, change: &dyn Fn(&mut Case<'_>)| -> String {
        let mut case = case(csv, &existing);
        change(&mut case);
        case.plan().map_or_else(|error| error.to_string(), |plan| plan.discarded.join(","))
    };
    let refused = |csv: &str| told(csv, &|_| ());
    // Half of the columns are enough, and so is any part of them alone.
    assert_eq!(refused("a,b,x,y\n1,1,1,1\n"), "");
    assert_eq!(refused("a\n1\n"), "");
    insta::assert_snapshot!(refused("a,x\n1,1\n"), @"the file does not belong to public.t: it lacks 3 of the table's 4 columns (b, c, d) and has 1 that the table lacks (x); check --source-file-name and --target-table, or give its columns the table's names with --column-names, or load it all the same with --another-feed allow");
    assert_eq!(told("a,x\n1,1\n", &|case| case.another_feed = AnotherFeed::Allow), "");
    insta::assert_snapshot!(told("x,y\n1,1\n", &|case| case.another_feed = AnotherFeed::Allow), @"the file does not belong to public.t: it lacks 4 of the table's 4 columns (a, b, c, d) and has 2 that the table lacks (x, y); check --source-file-name and --target-table, or give its columns the table's names with --column-names");
    let discard = |case: &mut Case<'_>| case.schema_policy = SchemaPolicy::DiscardColumns;
    insta::assert_snapshot!(told("a,x\n1,1\n", &discard), @"the file does not belong to public.t: it lacks 3 of the table's 4 columns (b, c, d) and has 1 that the table lacks (x); check --source-file-name and --target-table, or give its columns the table's names with --column-names, or load it all the same with --another-feed allow");
    insta::assert_snapshot!(refused("a;b;c;d\n1\n"), @"the file does not belong to public.t: it lacks 4 of the table's 4 columns (a, b, c, d) and has 1 that the table lacks (a;b;c;d); with --delimiter ';' its columns are a, b, c, d");
    insta::assert_snapshot!(refused("A\tb\n1\n"), @r#"the file does not belong to public.t: it lacks 4 of the table's 4 columns (a, b, c, d) and has 1 that the table lacks (A	b); with --delimiter '\t' its columns are A, b"#);
    insta::assert_snapshot!(refused("a|x|y\n1\n"), @"the file does not belong to public.t: it lacks 4 of the table's 4 columns (a, b, c, d) and has 1 that the table lacks (a|x|y); check --source-file-name and --target-table, or give its columns the table's names with --column-names");
    let semicolons = |case: &mut Case<'_>| case.dialect.delimiter = b';';
    insta::assert_snapshot!(told("a,b,c\n1\n", &semicolons), @"the file does not belong to public.t: it lacks 4 of the table's 4 columns (a, b, c, d) and has 1 that the table lacks (a,b,c); with --delimiter ',' its columns are a, b, c");
    let headerless = |case: &mut Case<'_>| case.dialect.header = false;
    insta::assert_snapshot!(told("1,1,1,1,1\n", &headerless), @"the file does not belong to public.t: it lacks 4 of the table's 4 columns (a, b, c, d) and has 5 that the table lacks (column_1, column_2, column_3, column_4, column_5); the file has no header and 5 columns, the table has 4 of its own; say with --column-names which they are");
}

#[test]
fn a_file_without_a_header_takes_the_columns_of_the_table_by_their_places() {
    let dialect = Dialect { header: false, ..Dialect::default() };
    let loaded = |existing: &[CatalogColumn]| -> String {
        let plan = Case { dialect: dialect.clone(), ..case("1,2\n", existing) }.plan();
        let names = |plan: LoadPlan| {
            let names: Vec<String> =
                plan.rows.columns.into_iter().map(|column| column.name).collect();
            format!("{} ({})", names.join(","), plan.notices.join(""))
        };
        plan.map_or_else(|error| error.to_string(), names)
    };
    insta::assert_snapshot!(loaded(&integers(&["id", "unit price"])), @r#"id,unit price (the file has no header, so its columns are loaded into those of the table by their places: id, unit price; --column-names '["id","unit price"]' says so, also when columns of the table move)"#);
    insta::assert_snapshot!(loaded(&integers(&["id"])), @"the file does not belong to public.t: it lacks 1 of the table's 1 columns (id) and has 2 that the table lacks (column_1, column_2); the file has no header and 2 columns, the table has 1 of its own; say with --column-names which they are");
    insta::assert_snapshot!(loaded(&integers(&["id", "n", "m"])), @"the file does not belong to public.t: it lacks 3 of the table's 3 columns (id, n, m) and has 2 that the table lacks (column_1, column_2); the file has no header and 2 columns, the table has 3 of its own; say with --column-names which they are");
    // The table was made of such files.
    insta::assert_snapshot!(loaded(&integers(&["column_2", "column_1"])), @"column_1,column_2 ()");
    let mut moved = integers(&["a", "b", "id"]);
    moved.remove(0);
    insta::assert_snapshot!(loaded(&moved), @"the file does not belong to public.t: it lacks 2 of the table's 2 columns (b, id) and has 2 that the table lacks (column_1, column_2); the file has no header and 2 columns, the table has 2 of its own, which do not stand as they were made; say with --column-names which they are");
    let mut numbered = integers(&["n", "id", "m"]);
    numbered[0].default = ColumnDefault::Identity { by_default: false };
    insta::assert_snapshot!(loaded(&numbered), @r#"id,m (the file has no header, so its columns are loaded into those of the table by their places: id, m; --column-names '["id","m"]' says so, also when columns of the table move)"#);
}
