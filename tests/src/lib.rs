//! What the end-to-end tests stand on: one stand-in for all of them, a bucket and a schema for
//! each, and the program.
//!
//! The program is run as a process of its own, as users run it; nothing of it is linked here. Fails
//! loudly when the program or the plugins are not built: `cargo xtask test` builds them.

pub mod cases;
pub mod proxy;
pub mod queue;
pub mod spark;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use loader_attach::{Attachment, Endpoints, Program, attach};
use serde_json::Value;
use tempfile::TempDir;

/// The stand-in that all tests of this process share.
pub struct World {
    dir: TempDir,
    attachment: Attachment,
    _runtime: tokio::runtime::Runtime,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let attachment =
        runtime.block_on(attach(dir.path(), &Program::Installed)).expect("the stand-in starts");
    World { dir, attachment, _runtime: runtime }
});

/// The shared stand-in, which the first test that asks for it starts. It ends with this process.
pub fn world() -> &'static World {
    &WORLD
}

impl World {
    /// The folder of the buckets.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Where its services listen.
    pub fn endpoints(&self) -> &Endpoints {
        &self.attachment.endpoints
    }
}

/// The built program, beside the tests in the target folder.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let program = test
        .parent()
        .and_then(Path::parent)
        .expect("tests lie in target/<profile>/deps")
        .join("loader");
    assert!(
        program.exists(),
        "{} is not built; run the tests with `cargo xtask test`",
        program.display()
    );
    program
}

/// The root of the checkout.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A built plugin.
pub fn plugin(name: &str) -> PathBuf {
    let path = root().join("plugins").join(format!("{name}.wasm"));
    assert!(path.exists(), "{} is not built; run `cargo xtask plugins`", path.display());
    path
}

/// Where crates are built that `loader plugin new` makes: all in one place, since they have their
/// dependencies in common, and apart from the project's own plugins, for which cargo gets other
/// flags and would build everything anew.
pub fn new_plugins_target() -> PathBuf {
    program().parent().and_then(Path::parent).expect("a target folder").join("new-plugins")
}

/// A bucket and a schema that belong to one test.
pub struct Place {
    /// Name of both.
    pub name: String,
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    /// `name`: lower-case letters, digits and hyphens; no two tests share one.
    pub fn new(name: &str) -> Place {
        std::fs::create_dir_all(world().dir().join(name)).expect("a bucket is a folder");
        let place = Place { name: name.to_owned() };
        place.execute(&format!("CREATE SCHEMA {}", place.schema()));
        place
    }

    /// The schema's name.
    pub fn schema(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Copies a file to where files land, as a person with a shell would.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        self.write(&format!("data/in/{name}"), content);
    }

    /// Writes any object of the bucket. As in S3 it is there whole or not at all: a program that
    /// watches the bucket never sees the beginning of a file.
    pub fn write(&self, key: &str, content: impl AsRef<[u8]>) {
        let path = world().dir().join(&self.name).join(key);
        std::fs::create_dir_all(path.parent().expect("it has a folder"))
            .expect("the folder can be made");
        let mut file = tempfile::NamedTempFile::new_in(world().dir()).expect("a file can be made");
        file.write_all(content.as_ref()).expect("the file can be written");
        file.persist(path).expect("the file can be put in its place");
    }

    /// Every object of the bucket with what is in it.
    pub fn objects(&self) -> Vec<String> {
        let mut objects = Vec::new();
        walk(&world().dir().join(&self.name), &mut |path| {
            let content = std::fs::read(path).unwrap_or_default();
            objects.push(format!("{} {}", path.display(), String::from_utf8_lossy(&content)));
        });
        objects.sort();
        objects
    }

    /// All keys of the bucket, with run-dependent digits as `#`.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let bucket = world().dir().join(&self.name);
        walk(&bucket, &mut |path| {
            let key = path.strip_prefix(&bucket).unwrap_or(path).to_string_lossy().into_owned();
            keys.push(without_dates(&without_times(&key)));
        });
        keys.sort();
        keys
    }

    /// The content of the one object whose key starts so.
    pub fn read(&self, prefix: &str) -> String {
        String::from_utf8(self.read_bytes(prefix)).expect("the object is UTF-8")
    }

    /// The content of the one object whose key ends so.
    pub fn read_ending(&self, ending: &str) -> String {
        let bucket = world().dir().join(&self.name);
        let mut found = None;
        walk(&bucket, &mut |path| {
            if path.to_string_lossy().ends_with(ending) {
                found = std::fs::read_to_string(path).ok();
            }
        });
        found.unwrap_or_else(|| panic!("no object …{ending} in {:?}", self.keys()))
    }

    /// As [`Self::read`], for an object that need not be text.
    pub fn read_bytes(&self, prefix: &str) -> Vec<u8> {
        let bucket = world().dir().join(&self.name);
        let mut found = None;
        walk(&bucket, &mut |path| {
            if path.strip_prefix(&bucket).is_ok_and(|key| key.to_string_lossy().starts_with(prefix))
            {
                found = std::fs::read(path).ok();
            }
        });
        found.unwrap_or_else(|| panic!("no object {prefix}… in {:?}", self.keys()))
    }

    /// The command line of a command in this bucket and schema. It has no plugins, unless
    /// `--plugins` or a settings file names some.
    pub fn bare_command(&self, verb: &str) -> Command {
        let mut command = Command::new(program());
        command.env("LOADER_PLUGINS", "none");
        command.arg(verb).arg("--local").arg(world().dir());
        command.args(["--src-bucket", &self.name, "--schema-name", &self.schema()]);
        command
    }

    /// The command line of a load, without plugins as `bare_command`.
    pub fn command(&self, verb: &str, file: &str, table: &str) -> Command {
        let mut command = self.bare_command(verb);
        command.args(["--source-file-name", file, "--target-table", table, "--report", "json"]);
        command
    }

    /// Loads a file through the default plugin, with further arguments.
    pub fn load(&self, file: &str, table: &str, more: &[&str]) -> Report {
        let mut command = self.command("run", file, table);
        Report::of(run(command.arg("--plugins").arg(plugin("default")).args(more)))
    }

    /// Says what such a load would do.
    pub fn plan(&self, file: &str, table: &str, more: &[&str]) -> Report {
        let mut command = self.command("plan", file, table);
        Report::of(run(command.arg("--plugins").arg(plugin("default")).args(more)))
    }

    /// Runs a query and gives its rows as JSON objects. Table names are found in the test's own
    /// schema with `{s}`.
    pub fn select(&self, sql: &str) -> Vec<Value> {
        let ended = self.sql(sql);
        assert_eq!(ended.code, 0, "{sql}: {}", ended.stderr);
        serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("{sql}: {error}: {}", ended.stdout))
    }

    /// The first cell of a query's result, as text.
    pub fn value(&self, sql: &str) -> String {
        let rows = self.select(sql);
        let cell = rows.first().and_then(|row| row.as_object()).and_then(|row| row.values().next());
        cell.map_or_else(
            || panic!("{sql}: no row"),
            |cell| cell.as_str().map_or_else(|| cell.to_string(), String::from),
        )
    }

    /// Runs a statement without result.
    pub fn execute(&self, sql: &str) {
        let ended = self.sql(sql);
        assert_eq!(ended.code, 0, "{sql}: {}", ended.stderr);
    }

    fn sql(&self, sql: &str) -> Ended {
        let sql = sql.replace("{s}", &self.schema());
        run(Command::new(program())
            .args(["sql", &sql, "--format", "json", "--local"])
            .arg(world().dir()))
    }
}

/// A load's report and how the program ended.
#[derive(Debug)]
pub struct Report {
    pub json: Value,
    pub ended: Ended,
}

impl Report {
    /// Takes the report from stdout.
    pub fn of(ended: Ended) -> Report {
        let json = serde_json::from_str(&ended.stdout);
        let json = json.unwrap_or_else(|error| {
            panic!("no report: {error}\n{}\n{}", ended.stdout, ended.stderr)
        });
        Report { json, ended }
    }

    /// Insists on success.
    #[must_use]
    pub fn succeeded(self) -> Report {
        assert_eq!(
            (self.ended.code, self.status()),
            (0, "success"),
            "{}\n{}",
            self.error(),
            self.ended.stderr
        );
        self
    }

    pub fn status(&self) -> &str {
        self.json["status"].as_str().unwrap_or_default()
    }

    pub fn error(&self) -> &str {
        self.json["error"].as_str().unwrap_or_default()
    }

    /// A count of `rows`.
    pub fn rows(&self, name: &str) -> u64 {
        self.json["rows"][name]
            .as_u64()
            .unwrap_or_else(|| panic!("no count {name} in {}", self.json))
    }

    /// Calls of all operations of S3.
    pub fn s3_calls(&self) -> u64 {
        let operations = self.json["calls"]["s3"].as_object();
        operations.into_iter().flatten().filter_map(|(_, calls)| calls.as_u64()).sum()
    }

    /// Calls of an operation of the Data API.
    pub fn data_api_calls(&self, operation: &str) -> u64 {
        self.json["calls"]["redshift_data"][operation].as_u64().unwrap_or(0)
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Ended {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Ended {
        code: code(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Starts a command whose log lines are to be read while it runs.
pub fn start(command: &mut Command) -> Child {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// The exit code; a death by signal counts 128 and the signal, as in a shell.
pub fn code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// Replaces folders that are a year, a month or a day.
fn without_dates(key: &str) -> String {
    let is_number = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let part = |part: &str| match part {
        year if is_number(year, 4) => "YYYY".to_owned(),
        month if is_number(month, 2) => "MM".to_owned(),
        other => other.to_owned(),
    };
    key.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Replaces times and ids: words of fourteen and more hexadecimal digits, and what stands behind
/// `sha256`.
pub fn without_times(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
        let (word, end) = match word.char_indices().last() {
            Some((i, last)) if !last.is_ascii_hexdigit() => (&word[..i], &word[i..]),
            _ => (word, ""),
        };
        let is_id = word.len() >= 14 && word.chars().any(|c| c.is_ascii_digit());
        let is_digest = word.len() == 8 && out.ends_with("sha256 ");
        out.push_str(if is_id || is_digest { "#" } else { word });
        out.push_str(end);
    }
    out
}

fn walk(dir: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}

#[cfg(test)]
mod tests {
    use super::{without_dates, without_times};

    #[test]
    fn only_times_and_ids_are_replaced() {
        assert_eq!(
            without_dates(&without_times("data/archive/2026/11/x_20261122233641.csv")),
            "data/archive/YYYY/MM/x_#.csv"
        );
        assert_eq!(without_times("line 17 of abc"), "line 17 of abc");
        assert_eq!(without_times("default 0.1.0 (sha256 e9d37dba)"), "default 0.1.0 (sha256 #)");
        assert_eq!(without_times("01a2059e7a9d7046b7d755cbe66d254f:5"), "#:5");
    }
}
