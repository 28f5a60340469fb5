//! S3 and Redshift of this machine for the rows that stage and load, and our program against them.
//!
//! They run in processes of their own, so that the loader's memory and processor time are its own.
//! The stand-in serves without TLS, and takes a part of the processors while a run is measured.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::measure::{Run, last_lines, measure};
use super::shapes::Source;
use super::workbench::Workbench;
use crate::failure::{Failure, failure};
use crate::run::output;

/// What each command is told of the warehouse.
const WAREHOUSE: [&str; 10] = [
    "--src-bucket",
    BUCKET,
    "--workgroup-name",
    "bench",
    "--database",
    "dev",
    "--iam-role",
    "default",
    "--report",
    "json",
];
const BUCKET: &str = "bench";

/// How slow S3 gives one answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) bytes_per_second: u64,
    pub(super) first_byte_ms: u64,
}

/// The stand-in, which ends with this value.
pub(super) struct StandIn {
    server: Child,
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

impl StandIn {
    /// Starts one with an empty bucket, in the folder `name` of the workbench.
    pub(super) fn start(bench: &Workbench, name: &str) -> Result<StandIn, Failure> {
        let (folder, log) = (bench.path(name), bench.path(&format!("{name}.log")));
        std::fs::create_dir_all(folder.join(BUCKET).join("data/in"))
            .or_else(|error| problem("the bucket is not made", error))?;
        let words = File::create(&log).or_else(|error| problem("no log of the stand-in", error))?;
        let mut command = bench.loader();
        command.arg("local").arg("--dir").arg(&folder).stdout(Stdio::piped()).stderr(words);
        let mut server =
            command.spawn().or_else(|error| problem("the stand-in does not start", error))?;
        let lines = server.stdout.take().map(BufReader::new);
        let variables = lines.map(exported_variables).unwrap_or_default();
        let stand_in = StandIn { server, folder, variables };
        match stand_in.variables.is_empty() {
            false => Ok(stand_in),
            true => {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                failure(format!("the stand-in does not start: {}", last_lines(&said)))
            }
        }
    }

    /// Puts a file into the bucket, where loads look for it.
    pub(super) fn land(&self, file: &Path, name: &str) -> Result<(), Failure> {
        let object = self.folder.join(BUCKET).join("data/in").join(name);
        // A link costs no second copy of 8 GB.
        std::fs::hard_link(file, object).or_else(|error| problem("no object", error))
    }

    /// Stages a file that lies there, and removes what it staged.
    pub(super) fn stage(&self, bench: &Workbench, source: &Source) -> Result<Run, Failure> {
        let name = source.path.file_name().unwrap_or_default();
        let mut command = self.loader(bench, "stage");
        command.arg("--source-file-name").arg(name).args(["--target-table", "staged"]);
        let ended = measure("loader stage", command.arg("--plugins").arg(bench.plugin()))?;
        let _ = std::fs::remove_dir_all(self.folder.join(BUCKET).join("data/staging"));
        let staged = report(&ended.stdout)?["rows"]["staged"].as_u64();
        match staged == Some(source.rows) {
            true => Ok(ended.run),
            false => failure(format!("loader staged {staged:?} rows of {}", source.rows)),
        }
    }

    /// Loads a file that lies there, with the plugin that is part of the program.
    pub(super) fn load(&self, bench: &Workbench, name: &str, rows: u64) -> Result<Run, Failure> {
        let mut command = self.loader(bench, "run");
        command.args(["--source-file-name", name, "--target-table", "small"]);
        let ended = measure("loader run", command.args(["--upsert-keys", "id"]))?;
        let report = report(&ended.stdout)?;
        let inserted = report["rows"]["inserted"].as_u64();
        match inserted == Some(rows) {
            true => Ok(Run { s3_requests: s3_requests(&report), ..ended.run }),
            false => failure(format!("loader inserted {inserted:?} rows of {rows}")),
        }
    }

    /// From now on S3 is so slow; with `None` it is as fast as it can be.
    // The stand-in reads the file anew for each request (docs/stand-in.md).
    pub(super) fn slow_down(&self, pace: Option<Pace>) -> Result<(), Failure> {
        let folder = self.folder.join(".loader/throttle");
        let file = folder.join("stream");
        let changed = match pace {
            None => std::fs::remove_file(&file),
            Some(Pace { bytes_per_second, first_byte_ms }) => std::fs::create_dir_all(&folder)
                .and_then(|()| {
                    std::fs::write(&file, format!("{bytes_per_second} {first_byte_ms}"))
                }),
        };
        changed.or_else(|error| problem("S3 cannot be slowed down", error))
    }

    /// The seconds that one answer with the first bytes of an object takes, as curl measures them.
    pub(super) fn seconds_of_answer(&self, name: &str, bytes: u64) -> Result<f64, Failure> {
        let variable = |wanted: &str| {
            let found = self.variables.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let user = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(variable).join(":");
        let (s3, region) = (variable("AWS_ENDPOINT_URL_S3"), variable("AWS_REGION"));
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail", "--output", "/dev/null", "--write-out", "%{time_total}"]);
        curl.args(["--range", &format!("0-{}", bytes.saturating_sub(1)), "--user", &user]);
        curl.args(["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]);
        curl.args(["--aws-sigv4", &format!("aws:amz:{region}:s3")]);
        let seconds = output(curl.arg(format!("{s3}/{BUCKET}/data/in/{name}")))?;
        seconds.trim().parse().or_else(|_| failure(format!("curl said `{seconds}`")))
    }

    fn loader(&self, bench: &Workbench, word: &str) -> Command {
        let mut command = bench.loader();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.arg(word).args(["--config", "none"]).args(WAREHOUSE);
        command
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // SIGTERM lets it stop its PostgreSQL.
        let _ = Command::new("kill").arg(self.server.id().to_string()).status();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The block of `export NAME=VALUE` lines that the stand-in prints when it is ready.
fn exported_variables(lines: impl BufRead) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    for line in lines.lines().map_while(Result::ok) {
        match line.strip_prefix("export ").and_then(|line| line.split_once('=')) {
            Some((name, value)) => variables.push((name.to_owned(), value.to_owned())),
            None if variables.is_empty() => {}
            None => break,
        }
    }
    variables
}

fn report(stdout: &str) -> Result<Value, Failure> {
    serde_json::from_str(stdout).or_else(|error| failure(format!("the report is no JSON: {error}")))
}

/// The requests to S3 of a load, which its report has by operation; `None` when it has none.
fn s3_requests(report: &Value) -> Option<u64> {
    let operations = report["calls"]["s3"].as_object()?;
    Some(operations.values().filter_map(Value::as_u64).sum())
}

fn problem<T>(what: &str, error: std::io::Error) -> Result<T, Failure> {
    failure(format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_over_all_operations() {
        let report = |text: &str| report(text).unwrap();
        let counted = report(r#"{"calls": {"s3": {"GetObject": 3, "PutObject": 5}}}"#);
        assert_eq!(s3_requests(&counted), Some(8));
        assert_eq!(s3_requests(&report("{}")), None);
    }

    #[test]
    fn variables_are_the_first_block_of_exports() {
        let said = "# Served.\nexport A=1\nexport B=x=y\n# Stop with Ctrl-C.\nexport C=2\n";
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(exported_variables(said.as_bytes()), [pair("A", "1"), pair("B", "x=y")]);
        assert_eq!(exported_variables(&b""[..]), []);
    }
}
