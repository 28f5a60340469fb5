//! The smaller commands, and what every command promises about output and exit codes.

use std::process::Command;

use loader_tests::{Place, plugin, program, run, world};

#[test]
fn the_report_has_exactly_the_promised_keys() {
    let place = Place::new("report-keys");
    place.put("x.csv", "id\n1\n");
    let report = place.load("x.csv", "x", &[]).succeeded();
    let keys = |value: &serde_json::Value| {
        value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ")
    };
    let top = "run_id run_number status exit_code error source target rows values_rounded columns_discarded \
               columns_filled schema_changes views views_recovered notices plugins calls steps \
               archived_to rejected_to rejected_because";
    assert_eq!(keys(&report.json), top);
    assert_eq!(keys(&report.json["source"]), "uri etag size_bytes");
    assert_eq!(keys(&report.json["rows"]), "read staged rejected inserted updated duplicates");
    assert_eq!(keys(&report.json["plugins"][0]), "name version sha256 counters");
    assert_eq!(keys(&report.json["calls"]), "s3 redshift_data");
    assert_eq!(keys(&report.json["steps"][0]), "name seconds");
    let lines: Vec<serde_json::Value> = report
        .ended
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect();
    assert!(
        lines.iter().all(|line| line["run_id"] == report.json["run_id"] && line["ts"].is_string())
    );
    let log = place.read("logs/");
    assert!(log.lines().count() + 2 >= lines.len(), "the exported log is the one on stderr");
}

#[test]
fn rows_print_as_table_csv_and_json() {
    let sql = |format: &str| {
        let statement = "SELECT 1 AS n, CAST(NULL AS VARCHAR(5)) AS x, 'a,b' AS t";
        run(Command::new(program())
            .args(["sql", statement, "--format", format, "--local"])
            .arg(world().dir()))
        .stdout
    };
    assert_eq!(sql("csv"), "n,x,t\n1,,\"a,b\"\n");
    assert_eq!(sql("json").replace(['\n', ' '], ""), r#"[{"n":1,"x":null,"t":"a,b"}]"#);
    assert!(sql("table").contains("NULL"), "{}", sql("table"));
}

#[test]
fn a_wrong_statement_says_why() {
    let ended = run(Command::new(program())
        .args(["sql", "SELECT * FROM nowhere", "--local"])
        .arg(world().dir()));
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("nowhere"), "{}", ended.stderr);
}

#[test]
fn a_local_file_is_transformed_without_a_warehouse() {
    let dir = tempfile::tempdir().expect("a folder");
    let (input, output) = (dir.path().join("in.csv"), dir.path().join("out.csv"));
    std::fs::write(&input, "Order ID,Amount ($),Note\n1,0.1,\"\"\n2,,x\n").expect("writes");
    let transform = |output: &std::path::Path| {
        let mut command = Command::new(program());
        command
            .arg("transform")
            .arg(&input)
            .arg("-o")
            .arg(output)
            .arg("--plugins")
            .arg(plugin("default"));
        run(&mut command)
    };
    let ended = transform(&output);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let text = std::fs::read_to_string(&output).expect("reads");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "order_id,amount,note,run_date,file_name");
    assert!(
        lines[1].starts_with("1,0.100000000000000000,\"\",20") && lines[1].ends_with(",in.csv"),
        "{text}"
    );
    assert!(lines[2].starts_with("2,,x,20"), "{text}");

    let parquet = dir.path().join("out.parquet");
    assert_eq!(transform(&parquet).code, 0);
    assert!(std::fs::read(&parquet).expect("reads").starts_with(b"PAR1"));
    let refused = transform(&dir.path().join("out.xls"));
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("must end in .parquet or .csv"), "{}", refused.stderr);
}

#[test]
fn several_workers_write_one_file_in_the_order_of_the_rows() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name);
    // Several runs of 16 MiB.
    let rows = 700_000;
    let text = "a text that makes the file longer so that several workers have something to do";
    let lines: String = (0..rows).map(|id| format!("{id},{text}\n")).collect();
    std::fs::write(path("in.csv"), format!("id,note\n{lines}")).expect("writes");
    let transform = |output: &str, more: &[&str]| {
        let mut command = Command::new(program());
        command.arg("transform").arg(path("in.csv")).arg("-o").arg(path(output)).args(more);
        run(command.args(["--plugins", "none"]))
    };
    for workers in ["1", "3"] {
        let ended = transform("out.csv", &["--workers", workers]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let written = std::fs::read_to_string(path("out.csv")).expect("reads");
        let ids =
            written.lines().skip(1).filter_map(|line| line.split(',').next()?.parse::<i32>().ok());
        assert!(ids.eq(0..rows), "{workers} workers");
    }
    // A row that is rejected near the end leaves nothing behind, with workers in all runs.
    std::fs::write(path("in.csv"), format!("id,note\n{lines},no key\n")).expect("writes");
    let ended = transform("none.csv", &["--workers", "3", "--upsert-keys", "id"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stderr.contains("null-key"), "{}", ended.stderr);
    assert!(!path("none.csv").exists());
}

#[test]
fn a_null_in_a_file_of_one_column_is_read_back_or_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name);
    let transform = |input: &str, output: &str| {
        let mut command = Command::new(program());
        command.arg("transform").arg(path(input)).arg("-o").arg(path(output));
        run(command.args(["--plugins", "none", "--null-value", "NA"]))
    };
    let files = [
        ("n\nNA\n1\nNA\n2\nNA\nNA\n", "n\n\"\"\n1\n\"\"\n2\n\"\"\n\"\"\n"),
        ("day\n2025-01-31\nNA\n", "day\n2025-01-31\n\"\"\n"),
        ("t\nNA\na\nNA\n\"\"\n", "t\n\na\n\n\"\"\n"),
    ];
    for (content, written) in files {
        std::fs::write(path("in.csv"), content).expect("writes");
        for (input, output) in [("in.csv", "out.csv"), ("out.csv", "again.csv")] {
            let ended = transform(input, output);
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            assert_eq!(std::fs::read_to_string(path(output)).expect("reads"), written);
        }
    }
    std::fs::write(path("last.csv"), "t\na\nNA\n").expect("writes");
    let refused = transform("last.csv", "cut.csv");
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("the last row is a NULL"), "{}", refused.stderr);
    assert!(refused.stderr.contains("write a .parquet file"), "{}", refused.stderr);
    assert!(!path("cut.csv").exists());
    let whole = transform("last.csv", "whole.parquet");
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    assert!(whole.stderr.contains("\"written\":2"), "{}", whole.stderr);
}

#[test]
fn what_is_missing_on_the_command_line_is_named() {
    let ended = run(Command::new(program()).args(["run", "--report", "json", "--src-bucket", "b"]));
    assert_eq!(ended.code, 2);
    let report: serde_json::Value =
        serde_json::from_str(&ended.stdout).expect("a report all the same");
    assert_eq!(
        report["error"],
        "--source-file-name is missing (or LOADER_SOURCE_FILE_NAME, or `source-file-name` in the \
         settings file)"
    );
    assert_eq!(run(Command::new(program()).args(["run", "--no-such-flag"])).code, 2);
}

#[test]
fn the_demo_tells_its_story() {
    let dir = tempfile::tempdir().expect("a folder");
    let ended = run(Command::new(program())
        .arg("demo")
        .arg("--plugins")
        .arg(plugin("default"))
        .arg("--dir")
        .arg(dir.path()));
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stderr, "");
    for words in [
        "4 inserted",
        "1 inserted + 1 updated",
        "widened",
        "dropped, and restored as it is",
        "order_sums    | SELECT         | group         | analysts",
        "was loaded before; nothing changed",
        "1418.379000000000000001",
        "data/unprocessed/",
    ] {
        assert!(ended.stdout.contains(words), "{words} is not in\n{}", ended.stdout);
    }
    fits_a_small_terminal(&ended.stdout);
}

/// Every page fits 80 columns and 24 lines, of which the last one asks for a key.
fn fits_a_small_terminal(story: &str) {
    let wide = story.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "a line is wider than 80 columns");
    let pages: Vec<&str> = story.split("\n== ").collect();
    assert!(pages.len() > 8, "the story has {} pages", pages.len());
    for page in pages {
        assert!(page.trim_end().lines().count() <= 23, "a page is too long:\n{page}");
    }
}

#[test]
fn a_demo_that_fails_says_why() {
    let ended = run(Command::new(program()).args(["demo", "--plugins", "no-such.wasm"]));
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.starts_with("loader demo: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("no-such.wasm"), "{}", ended.stderr);
}

#[test]
fn a_plan_shows_the_statements_of_the_load_when_asked() {
    let place = Place::new("plan-sql");
    place.put("x.csv", "id,name\n1,A\n2,B\n");
    let plan = |more: &[&str]| {
        let mut command = place.bare_command("plan");
        command.args(["--source-file-name", "x.csv", "--target-table", "t", "--upsert-keys", "id"]);
        run(command.arg("--plugins").arg(plugin("default")).args(more))
    };
    let short = plan(&[]);
    assert!(!short.stdout.contains("COPY"), "{}", short.stdout);
    let long = plan(&["--sql"]);
    let load = long.stdout.split("\nThe load\n").nth(1).expect("the section");
    let verbs: Vec<&str> = load.lines().filter_map(|line| line.split(' ').next()).collect();
    let copy = verbs.iter().position(|verb| *verb == "COPY").expect("the rows are copied");
    let delete = verbs.iter().position(|verb| *verb == "DELETE").expect("known rows go");
    let insert = verbs.iter().position(|verb| *verb == "INSERT").expect("rows come");
    assert!(copy < delete && delete < insert, "{load}");
    assert!(load.contains("/data/staging/t_x/"), "{load}");

    let report = place.plan("x.csv", "t", &["--upsert-keys", "id"]);
    assert!(report.json["load_statements"].as_array().is_some_and(|list| list.len() > 8));
    assert!(place.select("SELECT 1 FROM svv_tables WHERE table_schema = '{s}'").is_empty());
}

#[test]
fn a_folder_works_again_after_its_server_was_killed() {
    let dir = tempfile::tempdir().expect("a folder");
    let sql = |statement: &str| {
        run(Command::new(program())
            .args(["sql", statement, "--format", "csv", "--local"])
            .arg(dir.path()))
    };
    assert_eq!(sql("CREATE TABLE kept (n INTEGER)").code, 0);
    let mut server =
        loader_tests::start(Command::new(program()).arg("local").arg("--dir").arg(dir.path()));
    let mut line = String::new();
    let stdout = server.stdout.take().expect("its output");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)
        .expect("it says where it listens");
    server.kill().expect("kill -9");
    server.wait().expect("it is dead");
    let ended = sql("SELECT COUNT(*) AS n FROM kept");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "n\n0\n"), "{}", ended.stderr);
}

#[test]
fn nothing_that_a_terminal_obeys_comes_from_a_header_or_a_key() {
    let place = Place::new("obeyed");
    let file = "k\u{1b}[2Jx.csv";
    place.put(file, "id,na\u{1b}]0;hi\u{7}me\n1,a\n");
    let mut plan = place.bare_command("plan");
    plan.args(["--source-file-name", file, "--target-table", "t"]);
    let mut load = place.bare_command("run");
    load.args(["--source-file-name", file, "--target-table", "t"]);
    let mut list = place.bare_command("ls");
    list.arg("archive");
    for mut command in [plan, load, list] {
        let ended = run(&mut command);
        assert_eq!(ended.code, 0, "{command:?}: {}", ended.stderr);
        let said = ended.stdout + &ended.stderr;
        let obeyed = |letter: char| letter.is_control() && letter != '\n';
        assert!(!said.contains(obeyed), "{command:?}: {said:?}");
        assert!(said.contains("x"), "{said}");
    }
}
