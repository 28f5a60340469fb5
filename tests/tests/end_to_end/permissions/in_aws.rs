//! The policies of the page, which the stand-in enforces.

use std::path::Path;
use std::process::Command;

use loader_tests::{Ended, program, run};
use serde_json::{Value, json};

use super::block;
use crate::doctor::site::Guarded;

const BUCKET: &str = "orders";

/// Actions that no command here comes to: they end what went wrong half way.
const AFTER_A_FAILURE: [&str; 2] = ["s3:AbortMultipartUpload", "redshift-data:CancelStatement"];

/// A policy of the page, with the names that the stand-in has.
fn policy(blocks: &[&str]) -> Vec<Value> {
    let statements = |fence: &&str| {
        let text = block(&format!("json {fence}")).replace("BUCKET", BUCKET).replace(
            "REGION:ACCOUNT:workgroup/WORKGROUP_ID",
            "us-east-1:000000000000:workgroup/local",
        );
        let json: Value = serde_json::from_str(&text).expect("JSON");
        let statements = json.get("Statement").unwrap_or(&json);
        statements.as_array().expect("statements").clone()
    };
    blocks.iter().flat_map(statements).collect()
}

fn document(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn all(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => {
            many.iter().filter_map(|one| Some(one.as_str()?.to_owned())).collect()
        }
        _ => Vec::new(),
    }
}

/// The policy as single permissions: one action on one resource each.
fn single(statements: &[Value]) -> Vec<Value> {
    let mut list = Vec::new();
    for statement in statements {
        for action in all(&statement["Action"]) {
            for resource in all(&statement["Resource"]) {
                let mut one = statement.clone();
                (one["Action"], one["Resource"]) = (json!([action]), json!([resource]));
                list.push(one);
            }
        }
    }
    list
}

/// A stand-in with policies, and the commands of a user.
struct Site {
    guarded: Guarded,
}

impl Site {
    fn start() -> Site {
        Site { guarded: Guarded::start(BUCKET) }
    }

    fn bucket(&self) -> std::path::PathBuf {
        self.guarded.folder().join(BUCKET)
    }

    fn put(&self, name: &str, content: &str) {
        let folder = self.bucket().join("data/in");
        fs_err(std::fs::create_dir_all(&folder));
        fs_err(std::fs::write(folder.join(name), content));
    }

    fn command(&self, verb: &str, file: &str, more: &[&str]) -> Ended {
        let mut command = Command::new(program());
        command.arg("-v").arg(verb).arg("--local").arg(self.guarded.folder());
        command.args(["--src-bucket", BUCKET, "--source-file-name", file]);
        run(command.args(["--target-table", "orders", "--upsert-keys", "id"]).args(more))
    }

    fn sql(&self, statement: &str) -> Ended {
        run(Command::new(program()).args(["sql", statement, "--local"]).arg(self.guarded.folder()))
    }

    /// Everything that a user does with the program, in this order. Returns what was refused first.
    // Each command ends as it has to, or its log has the refusal: cleanup fails without failing the
    // load.
    fn everything(&self) -> Result<(), String> {
        self.start_anew();
        for (verb, file, content, more, code) in RUNS {
            self.put(file, &content.replace("{long}", &"h".repeat(300)));
            seen(verb, file, &self.command(verb, file, more), code)?;
            if *verb == "stage" {
                fs_err(std::fs::remove_file(self.bucket().join("data/in").join(file)));
            }
        }
        Ok(())
    }

    /// As before the first load.
    fn start_anew(&self) {
        let policy = self.guarded.policy(Guarded::CALLER);
        self.guarded.deny(Guarded::CALLER, &[], &[]);
        for table in
            ["orders", "loader_loads", "job_sts", "loader_dropped_views", "loader_fence_orders"]
        {
            let ended = self.sql(&format!("DROP TABLE IF EXISTS {table} CASCADE"));
            assert_eq!(ended.code, 0, "{}", ended.stderr);
        }
        let _ = std::fs::remove_dir_all(self.bucket());
        let config = self.bucket().join("config");
        fs_err(std::fs::create_dir_all(&config));
        fs_err(std::fs::write(config.join("view_config.json"), VIEWS));
        self.guarded.allow(Guarded::CALLER, &policy);
    }
}

fn fs_err(done: std::io::Result<()>) {
    done.expect("the disk takes it");
}

/// A run: its command, its file and what is in that, further arguments, and the exit code.
type Run = (&'static str, &'static str, &'static str, &'static [&'static str], i32);

const VIEWS: &str = r#"[{"source_table": "orders", "view_name": "v_orders", "schema_name": "public",
    "definition": "CREATE OR REPLACE VIEW {schema_name}.{view_name} AS SELECT id, note FROM {schema_name}.{source_table}"}]"#;

const RUNS: &[Run] = &[
    ("plan", "first.csv", "id,note\n1,a\n2,b\n", &[], 0),
    ("run", "first.csv", "id,note\n1,a\n2,b\n", &[], 0),
    ("run", "rejects.csv", "id,note\n3,c\n,d\n", &["--max-rejects", "1"], 0),
    ("run", "refused.csv", "id,note\nx,e\n", &[], 3),
    ("run", "split.csv", "id,note\n4,f\n", &["--split-load-above", "0"], 0),
    ("run", "wider.csv", "id,note\n6,{long}\n", &[], 0),
    ("stage", "staged.csv", "id,note\n5,g\n", &[], 0),
    // Both find their names taken.
    ("run", "first.csv", "id,note\n1,a\n2,b\n", &[], 0),
    ("run", "refused.csv", "id,note\nx,e\n", &[], 3),
];

/// Errors: a refusal, or another end than the run has with all permissions.
fn seen(verb: &str, file: &str, ended: &Ended, code: &i32) -> Result<(), String> {
    let text = format!("{}{}", ended.stdout, ended.stderr);
    let refused = ["is not authorized to perform", "HTTP status 403", "Access Denied"];
    match refused.iter().any(|sign| text.contains(sign)) || ended.code != *code {
        true => Err(format!("{verb} {file} ended with {}: {text}", ended.code)),
        false => Ok(()),
    }
}

#[test]
fn the_policy_of_the_page_is_enough_and_each_part_of_it_is_needed() {
    let site = Site::start();
    let statements = policy(&["run"]);
    site.guarded.allow(Guarded::CALLER, &document(&statements));
    site.guarded.allow(Guarded::ROLE, &document(&policy(&["role"])));
    assert_eq!(site.everything(), Ok(()));
    let permissions = single(&statements);
    assert!(permissions.len() > 15, "{permissions:?}");
    for (at, without) in permissions.iter().enumerate() {
        if AFTER_A_FAILURE.contains(&without["Action"][0].as_str().unwrap_or_default()) {
            continue;
        }
        let mut rest = permissions.clone();
        rest.remove(at);
        site.guarded.allow(Guarded::CALLER, &document(&rest));
        let ended = site.everything();
        assert!(ended.is_err(), "nothing needs {} on {}", without["Action"], without["Resource"]);
    }
}

#[test]
fn the_role_of_the_page_is_enough_and_each_part_of_it_is_needed() {
    let site = Site::start();
    let permissions = single(&policy(&["role"]));
    for at in 0..permissions.len() {
        let mut rest = permissions.clone();
        let without = rest.remove(at);
        site.guarded.allow(Guarded::ROLE, &document(&rest));
        assert!(site.everything().is_err(), "nothing needs {}", without["Action"]);
    }
}

#[test]
fn what_retry_needs_beside_it_is_all_and_needed() {
    let site = Site::start();
    let retried = |beside: &[Value]| {
        site.guarded.allow(Guarded::CALLER, &document(&[&policy(&["run"]), beside].concat()));
        site.start_anew();
        site.put("x.csv", "id,note\nx,e\n");
        assert_eq!(site.command("run", "x.csv", &[]).code, 0);
        site.put("x.csv", "id,note\n1,e,f\n");
        assert_eq!(site.command("run", "x.csv", &[]).code, 3);
        let ended = site.command("retry", "x.csv", &[]);
        seen("retry", "x.csv", &ended, &3)
    };
    let beside = single(&policy(&["retry"]));
    assert_eq!(retried(&beside), Ok(()));
    for at in 0..beside.len() {
        let mut rest = beside.clone();
        let without = rest.remove(at);
        assert!(retried(&rest).is_err(), "nothing needs {}", without["Action"]);
    }
}

#[test]
fn what_gc_needs_beside_it_is_all_and_needed() {
    let site = Site::start();
    let cleared = |beside: &[Value]| {
        site.guarded.allow(Guarded::CALLER, &document(&[&policy(&["run"]), beside].concat()));
        let mut command = Command::new(program());
        command.args(["gc", "--src-bucket", BUCKET, "--local"]).arg(site.guarded.folder());
        run(&mut command).code
    };
    let beside = single(&policy(&["gc"]));
    assert_eq!(cleared(&beside), 0);
    assert_eq!(cleared(&[]), 2, "nothing needs {beside:?}");
}

#[test]
fn what_all_that_is_pending_needs_beside_it_is_all_and_needed() {
    let site = Site::start();
    let folder = tempfile::tempdir().expect("a folder");
    let settings = |policy: &str| {
        let table = "[tables.orders]\nfiles = '*.csv'\nupsert-keys = 'id'\n";
        let path = folder.path().join("loader.toml");
        fs_err(std::fs::write(path, format!("{table}schema-policy = '{policy}'\n")));
    };
    fs_err(std::fs::write(folder.path().join("mine.csv"), "id,note\n7,z\n"));
    let pending = |file: &[&str], code: i32| {
        let mut command = Command::new(program());
        command.current_dir(folder.path()).arg("run").args(file).arg("--local");
        let ended = run(command.arg(site.guarded.folder()).args(["--src-bucket", BUCKET]));
        seen("run", "all", &ended, &code)
    };
    // A file fails, is held, is tried once more, and forgotten; a file of this machine comes.
    let loaded = |beside: &[Value]| {
        site.guarded.allow(Guarded::CALLER, &document(&[&policy(&["run"]), beside].concat()));
        site.start_anew();
        site.put("x.csv", "id,note\n1,e\n");
        settings("evolve");
        pending(&[], 0)?;
        site.put("x.csv", "id,note,more\n2,e,f\n");
        settings("freeze");
        pending(&[], 5)?;
        pending(&[], 5)?;
        settings("evolve");
        pending(&[], 0)?;
        pending(&["mine.csv"], 0)
    };
    let beside = single(&policy(&["backlog"]));
    assert_eq!(loaded(&beside), Ok(()));
    for at in 0..beside.len() {
        let mut rest = beside.clone();
        let without = rest.remove(at);
        if !AFTER_A_FAILURE.contains(&without["Action"][0].as_str().unwrap_or_default()) {
            assert!(loaded(&rest).is_err(), "nothing needs {without}");
        }
    }
}

#[test]
fn what_doctor_needs_beside_it_is_all_and_needed() {
    let site = Site::start();
    let examined = |beside: &[Value], parts: &str| {
        site.guarded.allow(Guarded::CALLER, &document(&[&policy(&["run"]), beside].concat()));
        let findings = site.guarded.doctor(BUCKET, &["--only", parts]);
        let told = findings.json.to_string();
        (findings.code, told.contains("is not authorized to perform"))
    };
    let beside = single(&policy(&["doctor"]));
    assert_eq!(examined(&beside, "bucket,warehouse,rights,loads,refusals,answers"), (0, false));
    for at in 0..beside.len() {
        let mut rest = beside.clone();
        let without = rest.remove(at);
        let parts = match without["Action"][0].as_str() {
            Some("redshift-data:ListSessions") => "answers",
            _ => "bucket,loads",
        };
        assert_ne!(examined(&rest, parts), (0, false), "nothing needs {without}");
    }
}

/// The table of the page that says how the program gets to the database.
#[test]
fn the_ways_to_the_database_are_those_of_the_page() {
    let page = std::fs::read_to_string(loader_tests::root().join("docs/permissions.md"));
    let page = page.expect("the page");
    let rows = page.lines().filter(|line| line.starts_with("| `--"));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split('|').map(str::trim).collect()).collect();
    assert_eq!(rows.len(), 4, "{rows:?}");
    let site = Site::start();
    let secret = "arn:aws:secretsmanager:us-east-1:000000000000:secret:s";
    for row in rows {
        let flags: Vec<&str> = row[1].trim_matches('`').split(' ').collect();
        let value = |flag: &str| match flag {
            "--workgroup-name" => "etl",
            "--cluster-identifier" => "c",
            "--db-user" => "nobody",
            _ => secret,
        };
        let arguments: Vec<&str> = flags.iter().flat_map(|flag| [*flag, value(flag)]).collect();
        let resources: Vec<String> =
            row[3].split('`').filter(|text| text.starts_with("arn:")).map(here).collect();
        let resources = if resources.is_empty() { vec![secret.to_owned()] } else { resources };
        let login =
            json!({"Effect": "Allow", "Action": row[2].trim_matches('`'), "Resource": resources});
        let statements = json!({"Effect": "Allow", "Action": "redshift-data:*", "Resource": "*"});
        let asked = |policy: &[Value]| {
            site.guarded.allow(Guarded::CALLER, &document(policy));
            let mut command = Command::new(program());
            command.args(["sql", "SELECT 1", "--local"]).arg(site.guarded.folder());
            run(command.args(&arguments)).stderr.contains("is not authorized to perform")
        };
        assert!(!asked(&[statements.clone(), login]), "{row:?}");
        assert!(asked(&[statements]), "{row:?}");
    }
}

/// A resource of the page, with the names of the test.
fn here(resource: &str) -> String {
    resource
        .replace("REGION:ACCOUNT", "us-east-1:000000000000")
        .replace("WORKGROUP_ID", "etl")
        .replace("CLUSTER", "c")
        .replace("DATABASE", "dev")
        .replace("USER", "nobody")
}

#[test]
fn the_trust_policy_is_json() {
    let trust: Value = serde_json::from_str(&block("json trust")).expect("JSON");
    assert_eq!(trust["Statement"][0]["Action"], "sts:AssumeRole");
    assert!(Path::new(&loader_tests::root()).join("docs/permissions.md").is_file());
}
