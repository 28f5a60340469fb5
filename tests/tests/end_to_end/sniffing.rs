//! What `loader sniff` tells of a file, and that its settings read the file.

use std::path::Path;
use std::process::{Command, Stdio};

use loader_tests::{Place, program, run};

const INVOICES: &str = "Invoices of May\n\nnumber;customer;amount\n1;'Ann; Bob';2,50\n2;'Cyd';3,75\n\
                        3;'';NA\n4;'Eve';11,00\n";

/// What a command prints, and its exit code before it when that is not 0.
fn told(arguments: &[&str]) -> String {
    let ended = run(Command::new(program()).args(arguments));
    match ended.code {
        0 => ended.stdout,
        code => format!("exit {code}: {}{}", ended.stdout, ended.stderr),
    }
}

fn written(dir: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = dir.join(name);
    std::fs::write(&path, content).expect("writes");
    path.display().to_string()
}

#[test]
fn findings_are_told_in_sentences() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = written(dir.path(), "invoices.csv", INVOICES);
    let told = told(&["sniff", &path]).replace(&dir.path().display().to_string(), "DIR");
    insta::assert_snapshot!(told, @r#"
    DIR/invoices.csv

    | part         | found | how sure | because                                                        |
    |--------------|-------|----------|----------------------------------------------------------------|
    | encoding     | UTF-8 | sure     | all characters are ASCII                                       |
    | record end   | LF    | sure     | all 7 lines end so                                             |
    | delimiter    | `;`   | sure     | 5 of 6 rows have 3 fields                                      |
    | quote        | `'`   | sure     | 4 fields begin and end with it                                 |
    | escape       | none  | likely   | quotes in quoted fields are doubled, or there are none         |
    | comment      | none  | likely   | no lines stand out by their first character                    |
    | lines before | 2     | likely   | one row before the table is no row of it                       |
    | header rows  | 1     | sure     | `amount` looks like the name of a column with values as `2,50` |
    | rows behind  | 0     | sure     | the last row is one of the table's                             |

    What only you can decide
    `NA` stands there once, for example in `amount`: --null-value 'NA' makes it NULL
    `amount` has numbers with a decimal comma (3): decimal-mark of its column reads them

    As flags
    --delimiter ';' --quote "'" --skip-rows 2

    The first rows
    | number | customer | amount |
    |--------|----------|--------|
    | 1      | Ann; Bob | 2,50   |
    | 2      | Cyd      | 3,75   |
    | 3      |          | NA     |
    | 4      | Eve      | 11,00  |
    "#);
}

#[test]
fn what_cannot_be_told_is_said() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = written(dir.path(), "names.csv", "ann,oslo\nbob,rome\ncyd,bern\n");
    let told = told(&["sniff", &path]);
    let said = "header: it cannot be told; with a header and without one, both fit";
    assert!(told.contains(said), "{told}");
}

#[test]
fn the_settings_that_are_printed_read_the_file() {
    let place = Place::new("sniff-settings");
    place.put("invoices.csv", INVOICES);
    let dir = tempfile::tempdir().expect("a folder");
    let path = written(dir.path(), "invoices.csv", INVOICES);
    let toml = told(&["sniff", &path, "--toml", "--target-table", "invoices"]);
    insta::assert_snapshot!(toml.replace(&dir.path().display().to_string(), "DIR"), @r#"
    # found out of DIR/invoices.csv
    [tables.invoices.dialect]
    delimiter = ";"  # sure: 5 of 6 rows have 3 fields
    quote = "'"  # sure: 4 fields begin and end with it
    skip-rows = 2  # likely: one row before the table is no row of it
    no-header = false  # sure: `amount` looks like the name of a column with values as `2,50`
    # null-value = ["NA"]  # if they mean NULL
    #
    # numbers and dates that are written in another way:
    # [tables.invoices.columns]
    # amount = { type = "decimal(38,18)", decimal-mark = "," }
    "#);
    let settings = written(dir.path(), "loader.toml", &toml);
    let _ = place.load("invoices.csv", "invoices", &["--config", &settings]).succeeded();
    let rows = place.select("SELECT number, customer, amount FROM {s}.invoices ORDER BY 1");
    let first = r#"{"number":1,"customer":"Ann; Bob","amount":"2,50"}"#;
    assert_eq!(rows.first().map(ToString::to_string).as_deref(), Some(first));
    assert_eq!(rows.len(), 4);
    let settings = written(dir.path(), "all.toml", told(&["sniff", &path, "--toml"]));
    place.put("again.csv", INVOICES);
    let report = place.load("again.csv", "others", &["--config", &settings]).succeeded();
    assert_eq!(report.rows("read"), 4);
}

#[test]
fn compressed_files_and_streams_are_looked_at() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = written(dir.path(), "a.csv", "id|n\n1|2\n2|3\n");
    let mut gzip = Command::new("gzip");
    assert_eq!(run(gzip.args(["--keep", &path])).code, 0);
    for name in [format!("{path}.gz"), path.clone()] {
        let toml = told(&["sniff", &name, "--toml"]);
        assert!(toml.contains("\ndelimiter = \"|\"  # "), "{toml}");
    }
    let content = std::fs::File::open(format!("{path}.gz")).expect("opens");
    let mut command = Command::new(program());
    command.args(["sniff", "-", "--toml"]).stdin(Stdio::from(content));
    let printed = String::from_utf8(command.output().expect("runs").stdout).expect("is UTF-8");
    assert!(printed.contains("\ndelimiter = \"|\"  # "), "{printed}");
    let utf_16: Vec<u8> =
        "\u{feff}id;n\r\n1;Zoë\r\n2;b\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let path = written(dir.path(), "utf-16.csv", utf_16);
    let told = told(&["sniff", &path]);
    assert!(told.contains("UTF-16LE with a byte order mark"), "{told}");
}

#[test]
fn a_large_file_is_looked_at_in_its_middle_and_its_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut content = "id;note\n".to_owned();
    for id in 0..900_000 {
        content += &format!("{id};a note of some length\n");
    }
    content += "Total: 900000\n";
    let path = written(dir.path(), "large.csv", content);
    let toml = told(&["sniff", &path, "--toml"]);
    assert!(toml.contains("skip-footer = 1"), "{toml}");
}

#[test]
fn what_is_no_text_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let check = |name: &str, content: &[u8], expected: &str| {
        let told = told(&["sniff", &written(dir.path(), name, content)]);
        assert!(told.starts_with("exit 3: ") && told.contains(expected), "{told}");
    };
    check("empty.csv", b"\n\n", "the file is empty, so nothing can be told");
    check(
        "program",
        b"\x7fELF\x02\x01\x01\x03\x00\x04\x05\x06\x07\x08\x10\x11\x12",
        "this is no text",
    );
    check("a.avro", b"Obj\x01\x04\x16avro.schema", "an Avro file");
    let told = told(&["sniff", &dir.path().join("none.csv").display().to_string()]);
    assert!(told.starts_with("exit 2: ") && told.contains("cannot be read"), "{told}");
}

#[test]
fn a_local_file_is_transformed_as_it_looks_unless_the_settings_say_how() {
    let dir = tempfile::tempdir().expect("a folder");
    let input = written(dir.path(), "in.csv", "Orders of May\n\nid;n\n1;2\n2;3\n");
    let output = dir.path().join("out.csv").display().to_string();
    let transform = |more: &[&str]| {
        let mut command = Command::new(program());
        command.args(["transform", &input, "-o", &output, "--plugins", "none"]).args(more);
        run(&mut command)
    };
    let ended = transform(&[]);
    let text = std::fs::read_to_string(&output).expect("reads");
    assert_eq!((ended.code, text.as_str()), (0, "id,n\n1,2\n2,3\n"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("found out of it: --delimiter ';' --skip-rows 2 (delimiter sure: "),
        "{}",
        ended.stderr
    );
    let ended = transform(&["--no-header"]);
    let text = std::fs::read_to_string(&output).expect("reads");
    assert_eq!((ended.code, text.as_str()), (0, "column_1,column_2\nid,n\n1,2\n2,3\n"));
    let ended = transform(&["--dialect", "given"]);
    let text = std::fs::read_to_string(&output).expect("reads");
    assert_eq!((ended.code, text.lines().next()), (0, Some("orders of may")), "{}", ended.stderr);
}

#[test]
fn an_encoding_that_cannot_be_told_is_advised_and_not_used() {
    let dir = tempfile::tempdir().expect("a folder");
    let content = b"id;name\n1;M\xfcller\n2;Gr\xfc\xdfe aus K\xf6ln\n3;Stra\xdfe\n";
    let input = written(dir.path(), "in.csv", content);
    let output = dir.path().join("out.csv").display().to_string();
    let transform = |arguments: &[&str]| {
        let mut command = Command::new(program());
        command.args(["transform", &input, "-o", &output, "--plugins", "none"]).args(arguments);
        run(&mut command)
    };
    let refused = transform(&[]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("--encoding windows-1252"), "{}", refused.stderr);
    let ended = transform(&["--encoding", "windows-1252"]);
    let text = std::fs::read_to_string(&output).expect("reads");
    assert_eq!(text, "id,name\n1,Müller\n2,Grüße aus Köln\n3,Straße\n", "{}", ended.stderr);
}
