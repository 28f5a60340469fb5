//! The settings file as the project: found from any folder below it, made of several files, with
//! profiles and variables, shown and checked.

use std::path::PathBuf;
use std::process::Command;

use loader_tests::{Ended, program, run};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Folder {
        let folder = Folder(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            let path = folder.path(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("is made");
            std::fs::write(path, text).expect("writes");
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `loader config` in a folder below this one.
    fn config(&self, below: &str, arguments: &[&str]) -> Ended {
        let mut command = Command::new(program());
        command.current_dir(self.path(below)).arg("config").args(arguments);
        let ended = run(command.env("STAGE", "dev").env("LOADER_DATABASE", "of_environment"));
        let here = self.0.path().canonicalize().expect("it is there");
        let shown = |text: &str| text.replace(&here.display().to_string(), "HERE");
        Ended { stdout: shown(&ended.stdout), stderr: shown(&ended.stderr), ..ended }
    }
}

const MAIN: (&str, &str) = (
    "loader.toml",
    "include = 'tables/*.toml'
src-bucket = 'in-${STAGE}'
default-profile = 'dev'
plugins = [{ path = 'p/mask.wasm', config = { salt = 'x', columns = ['a'] } }]

[profiles.dev]
local = 'wh'
region = '${REGION:-eu-central-1}'

[profiles.prod]
workgroup-name = 'wg'

[columns]
paid = 'date'
",
);
const ORDERS: (&str, &str) = (
    "tables/orders.toml",
    "[tables.'sales.orders']
files = ['orders_*.csv', 'eu/orders/']
upsert-keys = 'order_id'
max-rejects = '1%'
distkey = 'order_id'
columns.paid.format = '%d.%m.%Y'

[tables.'sales.orders'.dialect]
delimiter = ';'
",
);

/// The lines that are settings.
fn given(shown: &str) -> String {
    let lines = shown.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_setting_is_shown_with_where_it_comes_from() {
    let folder = Folder::with(&[MAIN, ORDERS, ("below/deep/x", "")]);
    let shown = folder.config("below/deep", &["show", "--workers", "3"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.starts_with("# settings file: HERE/loader.toml, "), "{}", shown.stdout);
    assert!(shown.stdout.contains("\n# lock-timeout: default 900\n"), "{}", shown.stdout);
    insta::assert_snapshot!(given(&shown.stdout), @r##"
    src-bucket = "in-${STAGE}"  # HERE/loader.toml:2
    database = "of_environment"  # LOADER_DATABASE
    region = "${REGION:-eu-central-1}"  # HERE/loader.toml:8 (profiles.dev)
    local = "HERE/wh"  # HERE/loader.toml:7 (profiles.dev)
    plugins = [{ config = { columns = ["a"], salt = "(hidden)" }, path = "HERE/p/mask.wasm" }]  # HERE/loader.toml:4
    workers = 3  # --workers
    columns.paid = { type = "date" }  # HERE/loader.toml:14
    "##);
    let arguments = ["show", "--schema-name", "sales", "--table", "orders", "--delimiter", "|"];
    insta::assert_snapshot!(given(&folder.config("", &arguments).stdout), @r##"
    src-bucket = "in-${STAGE}"  # loader.toml:2
    delimiter = "|"  # --delimiter
    schema-name = "sales"  # --schema-name
    target-table = "orders"  # --target-table
    upsert-keys = ["order_id"]  # tables/orders.toml:3 (tables."sales.orders")
    max-rejects = "1%"  # tables/orders.toml:4 (tables."sales.orders")
    distkey = "order_id"  # tables/orders.toml:5 (tables."sales.orders")
    database = "of_environment"  # LOADER_DATABASE
    region = "${REGION:-eu-central-1}"  # loader.toml:8 (profiles.dev)
    local = "wh"  # loader.toml:7 (profiles.dev)
    plugins = [{ config = { columns = ["a"], salt = "(hidden)" }, path = "p/mask.wasm" }]  # loader.toml:4
    files = ["orders_*.csv", "eu/orders/"]  # tables/orders.toml:2 (tables."sales.orders")
    columns.paid = { format = ["%d.%m.%Y"] }  # tables/orders.toml:6 (tables."sales.orders")
    columns.paid = { type = "date" }  # loader.toml:14
    "##);
    let prod = folder.config("", &["show", "--profile", "prod", "--report", "json"]);
    let json: serde_json::Value = serde_json::from_str(&prod.stdout).expect("JSON");
    assert_eq!(json["profile"], "prod");
    assert_eq!(json["settings"]["workgroup-name"]["value"], "wg");
    assert_eq!(json["settings"]["workgroup-name"]["from"], "loader.toml:11 (profiles.prod)");
    assert!(json["settings"].get("local").is_none(), "{json}");
}

#[test]
fn all_mistakes_are_named_at_once() {
    let folder = Folder::with(&[MAIN, ORDERS, ("p/mask.wasm", "")]);
    let right = folder.config("", &["check", "--profile", "dev"]);
    insta::assert_snapshot!(right.stdout, @"loader.toml is right: 1 table, profiles dev");
    // Another profile lacks something, and so it is said once for all tables.
    let lacks = folder.config("", &["check"]);
    assert_eq!(lacks.code, 2);
    insta::assert_snapshot!(lacks.stdout, @r##"
    tables.sales.orders (profile prod): --iam-role is missing (or LOADER_IAM_ROLE, or `iam-role` in the settings file)
    1 mistake
    "##);

    let wrong = "databse = 'x'
include = 'gone.toml'
src-bucket = '${GONE}'
[tables.t]
upsert-key = ['a']
dialect = { delimeter = ';', skip-rows = 'two' }
plugins = [7, 'a.wasm']
[tables.sales.orders]
[profiles.p]
tables = {}
";
    std::fs::write(folder.path("wrong.toml"), wrong).expect("writes");
    let wrong = folder.config("", &["check", "--config", "wrong.toml"]);
    assert_eq!(wrong.code, 2);
    insta::assert_snapshot!(wrong.stdout, @r##"
    wrong.toml is no valid settings file: line 1, column 1: databse: unknown key `databse`; did you mean `database`?
    wrong.toml is no valid settings file: line 3, column 14: src-bucket: the variable GONE is not set; set it, or write `${GONE:-text}` for a text that holds without it
    wrong.toml is no valid settings file: line 5, column 1: tables.t.upsert-key: unknown key `upsert-key`; did you mean `upsert-keys`?
    wrong.toml is no valid settings file: line 6, column 13: tables.t.dialect.delimeter: unknown key `delimeter`; did you mean `delimiter`?
    wrong.toml is no valid settings file: line 6, column 42: tables.t.dialect.skip-rows: invalid type: string "two", expected u64
    wrong.toml is no valid settings file: line 7, column 12: tables.t.plugins[0]: invalid type: integer `7`, expected the path of a plugin, or a table with `path`, `sha256` and `config`
    wrong.toml is no valid settings file: line 8, column 15: tables.sales.orders: unknown key; a table with its schema is [tables."sales.orders"]
    profiles.p.tables: a profile has no `tables`; it stands at the top of the file (file wrong.toml, line 10)
    `include` names gone.toml, which is not there
    9 mistakes
    "##);
    let patterns = "local = 'wh'\n[tables.t]\nfiles = ['a[']\nplugins = ['gone.wasm']\n";
    std::fs::write(folder.path("wrong.toml"), patterns).expect("writes");
    let wrong = folder.config("", &["check", "--config", "wrong.toml"]);
    insta::assert_snapshot!(wrong.stdout, @r##"
    tables.t.files has `a[`, which is no pattern: invalid range pattern
    tables.t: there is no plugin gone.wasm
    2 mistakes
    "##);
    let none = folder.config("", &["check", "--config", "none"]);
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("`loader init` makes one"), "{}", none.stderr);
}

#[test]
fn the_schema_is_printed() {
    let folder = Folder::with(&[]);
    let schema = folder.config("", &["schema"]).stdout;
    let published = loader_tests::root().join("docs/loader.schema.json");
    let published = std::fs::read_to_string(published).expect("it is there");
    assert!(schema == published, "docs/loader.schema.json is not the program's");
}

/// Three feeds in different dialects, and what nobody can read.
fn feeds() -> Folder {
    let orders = |n: u32| format!("order_id;paid\n{n}1;1.234,50\n{n}2;2,75\n{n}3;10,00\n");
    let (one, two) = (orders(1), orders(2));
    Folder::with(&[
        ("in/orders_2025-01-01.csv", &one),
        ("in/orders_2025-02-01.csv", &two),
        ("in/crm/export 1.csv", "\"Customer No\",\"Line No\"\n1,1\n1,2\n2,1\n"),
        ("in/stock-20250101.tsv", "sku\tseen\nA1\tNA\nB2\t2025-01-01\nC3\t2025-01-02\n"),
        ("in/events-1.jsonl", "{\"id\":1}\n"),
        ("in/empty.csv", ""),
    ])
}

#[test]
fn a_settings_file_is_made_from_what_is_there() {
    let folder = feeds();
    let mut init = Command::new(program());
    init.current_dir(folder.path("")).args(["init", "in", "-o", "-", "--src-bucket", "b"]);
    let made = run(&mut init);
    assert_eq!(made.code, 0, "{}", made.stderr);
    insta::assert_snapshot!(made.stdout, @r##"
    # Made by `loader init` from 6 files in in. What was guessed says so: read it through. `loader
    # config check` names mistakes, `loader run --dry-run` says what would be loaded.

    src-bucket = "b"
    # workgroup-name = "my-workgroup"
    # database = "dev"
    # iam-role = "arn:aws:iam::123456789012:role/redshift-copy"

    # empty.csv
    [tables.empty]
    # empty.csv cannot be read: it is empty
    files = ["empty.csv"]
    # none of its files could be read

    # events-1.jsonl
    [tables.events]
    files = ["events-*.jsonl"]
    # JSON Lines, which is known by its first bytes
    # upsert-keys = []  # without keys, rows are appended

    # crm/export 1.csv
    [tables.export]
    files = ["crm/export *.csv"]
    # A guess: no two rows that were looked at share it. Without keys, rows are appended. While it is a
    # guess, a file with two rows of a key is refused.
    upsert-keys = ["customer_no", "line_no"]
    duplicates = "error"

    # 2 files, such as orders_2025-01-01.csv
    [tables.orders]
    files = ["orders_*.csv"]
    # A guess: no two rows that were looked at share it. Without keys, rows are appended. While it is a
    # guess, a file with two rows of a key is refused.
    upsert-keys = ["order_id"]
    duplicates = "error"

    [tables.orders.dialect]  # found out of orders_2025-02-01.csv
    delimiter = ";"  # sure: 4 of 4 rows have 2 fields

    [tables.orders.columns]
    # Numbers with a decimal comma, as wide as the default plugin makes decimals: with fewer digits
    # behind the comma, values that have more are rounded.
    paid = { type = "decimal(38,18)", decimal-mark = ",", thousands = "." }

    # stock-20250101.tsv
    [tables.stock]
    files = ["stock-*.tsv"]
    # A guess: no two rows that were looked at share it. Without keys, rows are appended. While it is a
    # guess, a file with two rows of a key is refused.
    upsert-keys = ["sku"]
    duplicates = "error"

    [tables.stock.dialect]  # found out of stock-20250101.tsv
    delimiter = "\t"  # sure: 4 of 4 rows have 2 fields
    # null-value = ["NA"]  # if they mean NULL
    "##);
    // It is right as it stands, but for the warehouse that only a person knows.
    std::fs::write(folder.path("loader.toml"), &made.stdout).expect("writes");
    let checked = folder.config("", &["check", "--local", "wh"]);
    assert_eq!(checked.stdout, "loader.toml is right: 5 tables\n");
    let again = run(init.args(["-o", "loader.toml"]));
    assert_eq!(again.code, 2);
}
