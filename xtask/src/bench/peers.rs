//! The other programs: DuckDB and Polars, which write the same CSV file as Parquet.
//!
//! In: an environment of Python of their own. Out: commands that are measured as ours is, from the
//! process's start to its end, with Snappy and all cores.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, failure};
use crate::run::output;
use crate::setup;

/// A program that does the same work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    DuckDb,
    Polars,
}

/// A program that can be run.
#[derive(Clone, Debug)]
pub(super) struct ReadyPeer {
    pub(super) peer: Peer,
    python: PathBuf,
}

const DUCKDB: &str = "\
import sys, duckdb
source, target, threads = sys.argv[1:4]
duckdb.execute(f\"SET threads = {threads}\")
duckdb.execute(f\"COPY (SELECT * FROM read_csv('{source}')) \"
               f\"TO '{target}' (FORMAT parquet, COMPRESSION snappy)\")
";

const POLARS: &str = "\
import sys, polars
source, target = sys.argv[1:3]
rows = polars.scan_csv(source, try_parse_dates=True)
rows.sink_parquet(target, compression='snappy', statistics=False)
";

const ROWS_OF_DUCKDB: &str = "\
import sys, duckdb
rows = duckdb.execute(f\"SELECT count(*) FROM read_parquet('{sys.argv[1]}')\").fetchall()
print(rows[0][0])
";

const ROWS_OF_POLARS: &str = "\
import sys, polars
print(polars.scan_parquet(sys.argv[1]).select(polars.len()).collect().item())
";

impl Peer {
    pub(super) const ALL: [Peer; 2] = [Peer::DuckDb, Peer::Polars];

    /// The name in the figures, which is that of its package.
    pub(super) fn name(self) -> &'static str {
        match self {
            Peer::DuckDb => "duckdb",
            Peer::Polars => "polars",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Peer::DuckDb => "DuckDB",
            Peer::Polars => "Polars",
        }
    }

    pub(super) fn version(self) -> &'static str {
        match self {
            Peer::DuckDb => "2.0.1",
            Peer::Polars => "2.1.0",
        }
    }

    /// Installs it, unless it is there.
    pub(super) fn ready(self) -> Result<ReadyPeer, Failure> {
        let package = format!("{}=={}", self.name(), self.version());
        Ok(ReadyPeer { peer: self, python: setup::python_in("peers", &[&package])? })
    }
}

impl ReadyPeer {
    /// Writes the CSV file `source` as the Parquet file `target`.
    pub(super) fn command(&self, source: &Path, target: &Path, cores: usize) -> Command {
        let mut command = Command::new(&self.python);
        let script = match self.peer {
            Peer::DuckDb => DUCKDB,
            Peer::Polars => POLARS,
        };
        command.args(["-c", script]).arg(source).arg(target);
        match self.peer {
            Peer::DuckDb => command.arg(cores.to_string()),
            Peer::Polars => command.env("POLARS_MAX_THREADS", cores.to_string()),
        };
        command
    }

    /// The rows of the file that it wrote, as it reads them itself.
    pub(super) fn rows(&self, written: &Path) -> Result<u64, Failure> {
        let script = match self.peer {
            Peer::DuckDb => ROWS_OF_DUCKDB,
            Peer::Polars => ROWS_OF_POLARS,
        };
        let said = output(Command::new(&self.python).args(["-c", script]).arg(written))?;
        said.trim().parse().or_else(|_| failure(format!("a number of rows was due, not `{said}`")))
    }

    /// The version of the Python that runs it.
    pub(super) fn python_version(&self) -> Result<String, Failure> {
        let script = "import platform; print(platform.python_version())";
        Ok(output(Command::new(&self.python).args(["-c", script]))?.trim().to_owned())
    }
}
