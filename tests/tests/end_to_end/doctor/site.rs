//! Ways to run `loader doctor`: on the shared stand-in, through proxies, and on a stand-in that has
//! policies; and its findings as text that is the same each time.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use loader_attach::Endpoints;
use loader_tests::{Ended, Place, program, world};
use serde_json::{Value, json};

/// The command line of an examination of the place, with JSON as its report. `more`: further
/// arguments, and others in place of the usual ones.
pub(crate) fn doctor(place: &Place, more: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(["doctor", "--local"]).arg(world().dir()).args(more);
    for (flag, value) in [("--src-bucket", &place.name), ("--schema-name", &place.schema())] {
        if !more.contains(&flag) {
            command.args([flag, value]);
        }
    }
    command.env("LOADER_REPORT", "json");
    command
}

/// The same without `--local`: the services are where the variables say.
pub(crate) fn remote_doctor(place: &Place, s3: &str, data_api: &str, more: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(["doctor", "--database", "dev"]);
    if !more.contains(&"--cluster-identifier") {
        command.args(["--workgroup-name", "local"]);
    }
    command.args(["--iam-role", &world().endpoints().iam_role]);
    command.args(["--src-bucket", &place.name, "--schema-name", &place.schema()]).args(more);
    command.envs(world().endpoints().variables()).env("LOADER_REPORT", "json");
    command.env("AWS_ENDPOINT_URL_S3", s3).env("AWS_ENDPOINT_URL_REDSHIFT_DATA", data_api);
    command
}

/// What an examination found.
pub(crate) struct Findings {
    pub(crate) json: Value,
    pub(crate) code: i32,
}

impl Findings {
    pub(crate) fn of(ended: Ended) -> Findings {
        let json = serde_json::from_str(&ended.stdout);
        let json = json.unwrap_or_else(|error| {
            panic!("no findings: {error}\n{}\n{}", ended.stdout, ended.stderr)
        });
        Findings { json, code: ended.code }
    }

    fn list(&self) -> impl Iterator<Item = &Value> {
        self.json["findings"].as_array().into_iter().flatten()
    }

    /// The findings with an outcome, one below the other.
    fn with(&self, outcome: &str) -> String {
        let text = |value: &Value| plain(value.as_str().unwrap_or_default());
        let lines = self.list().filter(|finding| finding["outcome"] == outcome).map(|finding| {
            let remedy = match text(&finding["remedy"]) {
                remedy if remedy.is_empty() => remedy,
                remedy => format!("\n    -> {remedy}"),
            };
            format!("{}: {}{remedy}\n", text(&finding["probe"]), text(&finding["seen"]))
        });
        lines.collect()
    }

    /// How a probe ended, and what it has seen.
    pub(crate) fn saying(&self, probe: &str) -> String {
        let found = self.list().find(|finding| finding["probe"] == probe);
        let text = |key: &str| plain(found.map_or("", |f| f[key].as_str().unwrap_or_default()));
        format!("{}: {}", text("outcome"), text("seen"))
    }

    /// Probes that failed, with their remedies.
    pub(crate) fn failed(&self) -> String {
        let failed = self.with("failed");
        assert_eq!(failed.is_empty(), self.code == 0, "{}: {failed}", self.code);
        failed
    }

    /// Probes that were skipped.
    pub(crate) fn skipped(&self) -> String {
        self.with("skipped")
    }
}

/// What a probe has seen.
pub(crate) fn here(findings: &Findings, probe: &str) -> String {
    let found = findings.list().find(|finding| finding["probe"] == probe);
    let found = found.unwrap_or_else(|| panic!("no probe {probe} in {}", findings.json));
    plain(found["seen"].as_str().unwrap_or_default())
}

/// A text without what differs from run to run: ids, ports, and the examination's own name.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("loader_doctor_") {
        let id = after.chars().take_while(char::is_ascii_hexdigit).count();
        out.push_str(before);
        out.push_str("loader_doctor_");
        out.push_str(if id == 12 { "#" } else { &after[..id] });
        rest = &after[id..];
    }
    without_uuids(&(out + rest))
}

/// Replaces what stands behind `statement_id`, and the ports of this machine.
fn without_uuids(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let is_id = words.last().is_some_and(|last| last.ends_with("statement_id"));
        words.push(match word.split_once("127.0.0.1:") {
            _ if is_id => format!("#{}", word.trim_start_matches(|c: char| c != ')')),
            Some((before, after)) => {
                let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
                format!("{before}127.0.0.1:#{after}")
            }
            None => word.to_owned(),
        });
    }
    words.join(" ")
}

/// A stand-in of its own, whose callers have the policies that its files hold.
pub(crate) struct Guarded {
    dir: tempfile::TempDir,
    server: Child,
}

impl Guarded {
    /// Everything is allowed until a policy is written.
    pub(crate) fn start(bucket: &str) -> Guarded {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(dir.path().join("wh").join(bucket)).expect("a bucket");
        for file in [Guarded::CALLER, Guarded::ROLE] {
            std::fs::write(dir.path().join(file), ALL).expect("writes");
        }
        let mut command = Command::new(program().with_file_name("loader-local"));
        command.arg("--dir").arg(dir.path().join("wh"));
        command.arg("--policy").arg(dir.path().join(Guarded::CALLER));
        command.arg("--role-policy").arg(dir.path().join(Guarded::ROLE));
        command.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null());
        let mut server = command.spawn().expect("the stand-in starts");
        let mut first = String::new();
        let stdout = server.stdout.as_mut().expect("its output");
        BufReader::new(stdout).read_line(&mut first).expect("a line");
        assert!(first.starts_with('#'), "the stand-in does not serve: {first}");
        Guarded { dir, server }
    }

    /// The file with the caller's policy.
    pub(crate) const CALLER: &'static str = "caller.json";
    /// The file with the policy of the role that COPY names.
    pub(crate) const ROLE: &'static str = "role.json";

    /// Its folder, for `--local`.
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.path().join("wh")
    }

    /// Replaces a policy.
    pub(crate) fn allow(&self, file: &str, policy: &str) {
        let path = self.dir.path().join(file);
        let aside = path.with_extension("new");
        std::fs::write(&aside, policy).expect("writes");
        std::fs::rename(aside, path).expect("renames");
    }

    /// A policy as it is now.
    pub(crate) fn policy(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(file)).expect("its file")
    }

    /// Denies actions on resources, and allows all others.
    pub(crate) fn deny(&self, file: &str, actions: &[&str], resources: &[String]) {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": actions, "Resource": resources},
        ]});
        self.allow(file, &policy.to_string());
    }

    /// An examination with further arguments.
    pub(crate) fn doctor(&self, bucket: &str, more: &[&str]) -> Findings {
        let mut command = Command::new(program());
        command.args(["doctor", "--src-bucket", bucket, "--local"]).arg(self.folder()).args(more);
        Findings::of(loader_tests::run(command.env("LOADER_REPORT", "json")))
    }
}

const ALL: &str = r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;

impl Drop for Guarded {
    fn drop(&mut self) {
        let id = rustix::process::Pid::from_child(&self.server);
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        let _ = self.server.wait();
    }
}

/// Where the shared stand-in's services listen.
pub(crate) fn endpoints() -> &'static Endpoints {
    world().endpoints()
}

/// A file where a folder should be, so that nothing can be written below it.
pub(crate) fn block(place: &Place, key: &str) {
    place.write(key, "a file");
    assert!(Path::new(&world().dir().join(&place.name).join(key)).is_file());
}
