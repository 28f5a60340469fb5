//! Files that a cluster may stumble over: wide ones, long rows across a split, compressed ones, several
//! of several tables in one command.

use std::io::Write as _;
use std::process::Command;

use libtest_mimic::{Failed, Trial};
use loader_tests::{Place, Report, plugin, spark};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("files::a-file-of-1599-columns", a_file_of_1599_columns),
        Trial::test("files::a-row-of-3-mib-across-splits", a_row_of_3_mib_across_splits),
        Trial::test("files::a-compressed-file-in-pieces", a_compressed_file_in_pieces),
        Trial::test("files::rejects-have-line-and-text", rejects_have_line_and_text),
        Trial::test(
            "files::files-of-several-tables-in-one-run",
            files_of_several_tables_in_one_run,
        ),
        Trial::test("files::a-small-file-stays-on-the-driver", a_small_file_stays_on_the_driver),
    ]
}

/// Loads a file on the cluster and on one machine, and compares the tables. Gives both reports.
fn is_the_same(
    place: &Place,
    name: &str,
    content: &[u8],
    split_bytes: u64,
    more: &[&str],
) -> [Report; 2] {
    place.put(name, content);
    let mut command = place.command("run", name, "on_cluster");
    command.arg("--plugins").arg(plugin("default")).args(more);
    command.env("LOADER_ENGINE", "spark").env("LOADER_SPLIT_BYTES", split_bytes.to_string());
    let on_cluster = Report::of(spark::driver().run(&command)).succeeded();
    place.put(name, content);
    let on_one_machine = place.load(name, "on_one_machine", more).succeeded();
    assert_eq!(on_cluster.json["rows"], on_one_machine.json["rows"]);
    if !name.ends_with(".gz") {
        // The driver has stored no part: workers have.
        let stored = |report: &Report| report.json["calls"]["s3"]["PutObject"].as_u64();
        assert!(stored(&on_cluster) < stored(&on_one_machine), "the cluster did tasks");
    }
    let columns = "SELECT column_name, data_type FROM svv_columns WHERE table_schema = '{s}' AND \
                   table_name = '…' ORDER BY ordinal_position";
    let columns = |table: &str| place.select(&columns.replace('…', table));
    assert_eq!(columns("on_cluster"), columns("on_one_machine"));
    // Every value, without the moments of the runs.
    for table in ["on_cluster", "on_one_machine"] {
        place.execute(&format!("ALTER TABLE {{s}}.{table} DROP COLUMN run_date"));
    }
    for (one, other) in [("on_cluster", "on_one_machine"), ("on_one_machine", "on_cluster")] {
        let alone = format!("SELECT * FROM {{s}}.{one} EXCEPT SELECT * FROM {{s}}.{other}");
        assert_eq!(place.value(&format!("SELECT count(*) AS n FROM ({alone}) alone")), "0");
    }
    [on_cluster, on_one_machine]
}

fn a_file_of_1599_columns() -> Result<(), Failed> {
    let names: Vec<String> = (0..1597).map(|column| format!("c{column}")).collect();
    let row = |row: usize| {
        // Most are empty: a row of PostgreSQL has no more than 8 KB.
        let values = (0..1597).map(|column| match (column + row) % 7 {
            0 => (row * column).to_string(),
            _ => String::new(),
        });
        values.collect::<Vec<_>>().join(",")
    };
    let rows: Vec<String> = (0..60).map(row).collect();
    let content = format!("{}\n{}\n", names.join(","), rows.join("\n"));
    // With run_date and file_name of the default plugin the table has 1,599.
    let place = Place::new("spark-wide");
    is_the_same(&place, "wide.csv", content.as_bytes(), 100_000, &[]);
    Ok(())
}

fn a_row_of_3_mib_across_splits() -> Result<(), Failed> {
    let small =
        |from: u64| (from..from + 20_000).map(|id| format!("{id},note {id}\n")).collect::<String>();
    // More than a VARCHAR takes, so it is rejected, and comes back with its line.
    let long = format!("7,\"{}\"\n", "a line\n".repeat(3 * 1024 * 1024 / 7));
    let content = format!("id,note\n{}{long}{}", small(100), small(50_000));
    let place = Place::new("spark-long-row");
    let [on_cluster, on_one_machine] =
        is_the_same(&place, "long.csv", content.as_bytes(), 500_000, &["--max-rejects", "1"]);
    assert_eq!(on_cluster.rows("rejected"), 1);
    assert_eq!(on_cluster.json["notices"], on_one_machine.json["notices"]);
    Ok(())
}

fn a_compressed_file_in_pieces() -> Result<(), Failed> {
    let row = |id: u64| format!("{id},{}.5,\"a\nb {id}\"\n", id * 3);
    let content = format!("id,amount,note\n{}", (0..30_000).map(row).collect::<String>());
    let mut gzip = Command::new("gzip")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()?;
    let mut to = gzip.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || to.write_all(content.as_bytes()));
    let compressed = gzip.wait_with_output()?.stdout;
    writer.join().expect("it writes")?;
    let place = Place::new("spark-gzip");
    let [on_cluster, _] =
        is_the_same(&place, "orders.csv.gz", &compressed, 100_000, &["--upsert-keys", "id"]);
    assert!(!place.keys().iter().any(|key| key.contains("staging")), "{:?}", place.keys());
    assert_eq!(on_cluster.rows("inserted"), 30_000);
    Ok(())
}

fn rejects_have_line_and_text() -> Result<(), Failed> {
    let row = |id: u64| match id % 1000 {
        7 => format!("{id},\"two\nlines\",nonsense\n"),
        _ => format!("{id},\"two\nlines\",{id}.5\n"),
    };
    let content = format!("id,note,amount\n{}", (0..5000).map(row).collect::<String>());
    let place = Place::new("spark-rejects");
    let more = ["--max-rejects", "10", "--column", "amount=decimal(12,2)"];
    let [on_cluster, on_one_machine] =
        is_the_same(&place, "orders.csv", content.as_bytes(), 9000, &more);
    assert_eq!(on_cluster.rows("rejected"), 5);
    let rejected = |report: &Report| {
        let uri = report.json["rejected_to"].as_str().unwrap_or_default().to_owned();
        place.read(&uri.split('/').skip(3).collect::<Vec<_>>().join("/"))
    };
    let of_cluster = rejected(&on_cluster);
    assert_eq!(of_cluster, rejected(&on_one_machine));
    assert!(of_cluster.contains("two\nlines"), "{of_cluster}");
    Ok(())
}

fn files_of_several_tables_in_one_run() -> Result<(), Failed> {
    let place = Place::new("spark-tables");
    let settings = "[tables.a]\nfiles = 'a_*.csv'\n[tables.b]\nfiles = 'b_*.csv'\n";
    place.write("loader.toml", settings);
    for (name, from) in [("a_1", 0), ("a_2", 10_000), ("b_1", 20_000), ("b_2", 30_000)] {
        let rows = (from..from + 2000).map(|id| format!("{id},note {id}\n")).collect::<String>();
        place.put(&format!("{name}.csv"), format!("id,note\n{rows}"));
    }
    let mut command = place.bare_command("run");
    let settings = loader_tests::world().dir().join(&place.name).join("loader.toml");
    command.arg("--config").arg(settings).args(["--report", "json"]);
    command.env("LOADER_ENGINE", "spark").env("LOADER_SPLIT_BYTES", "5000");
    let ended = spark::driver().run(&command);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    for table in ["a", "b"] {
        assert_eq!(place.value(&format!("SELECT count(*) AS n FROM {{s}}.{table}")), "4000");
    }
    Ok(())
}

fn a_small_file_stays_on_the_driver() -> Result<(), Failed> {
    let place = Place::new("spark-small");
    place.put("orders.csv", "id\n1\n");
    let ended = spark::driver().run(&place.command("run", "orders.csv", "t"));
    let report = Report::of(ended).succeeded();
    // One reading of the file, and no task.
    assert_eq!(report.json["calls"]["s3"]["GetObject"], 3);
    Ok(())
}
