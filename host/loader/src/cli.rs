//! What can be typed: commands and flags, exactly as given. This module looks at no file, variable
//! or service to check them; `job.rs` does.

pub mod config;

pub mod glue;

pub mod plugin;

pub mod seeing;

mod null_text;
mod run_args;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::cli::config::ConfigArgs;
use crate::cli::plugin::PluginArgs;
pub use crate::cli::run_args::RunArgs;
use crate::cli::seeing::{HistoryArgs, LsArgs, ReportArgs, ShowArgs, StatusArgs};
use crate::settings::plugin_entry::BUILT_IN;

/// Loads CSV, JSON Lines and Parquet from S3 into Redshift: clean, typed, merged, audited, each
/// file exactly once.
#[derive(Debug, Parser)]
#[command(name = "loader", version, max_term_width = 110, after_help = AFTER_HELP)]
pub struct Cli {
    /// More of the log: -v debug, -vv trace.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Every setting can come from a flag, from loader.toml (of this folder or above, or the file named by \
--config), or from a LOADER_… variable (--target-table: LOADER_TARGET_TABLE), in this order. Flags may be written with - or _.

Exit codes: 0 done, 1 internal, 2 usage, configuration or plugin, 3 data refused, 4 transient (run again), \
5 schema change refused, 6 outcome unknown, 130/143 stopped by a signal.";

impl Cli {
    /// Reads a command line. Errors: what is wrong with it, or the help that it asks for.
    pub fn read(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
        null_text::check(&arguments, Cli::command())?;
        Cli::try_parse_from(arguments)
    }
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Load files: everything that is pending, the files of one table, or those that are named.
    Run(LoadArgs),
    /// Say what a load would do: columns, SQL, views, rows that would be refused; change nothing.
    Plan(PlanArgs),
    /// Load files as they come, until a signal stops it.
    Watch(RunArgs),
    /// Bring back views that killed runs left dropped, then load once more what failed, or the
    /// files that are named.
    Retry(LoadArgs),
    /// Let the ledger forget old loads, so that it does not grow for ever.
    Prune(PruneArgs),
    /// Remove what killed runs left: staged parts, unfinished copies, notes about views, empty
    /// fences.
    Gc(GcArgs),
    /// Read, transform and stage one file; leave the warehouse as it is.
    Stage(RunArgs),
    /// Say what is pending, what failed, what was put aside, and what to do about it.
    Status(StatusArgs),
    /// Show the last runs of all tables or of one.
    History(HistoryArgs),
    /// Show the report of a past run.
    Show(ShowArgs),
    /// Write a page about past runs: one HTML file that needs nothing else.
    Report(ReportArgs),
    /// List what lies in a folder of the bucket.
    Ls(LsArgs),
    /// Run a local file through inference and plugins into a local file.
    Transform(TransformArgs),
    /// Say how a CSV file is written: delimiter, quotes, header, encoding and the rest.
    Sniff(SniffArgs),
    /// Serve S3 and the Redshift Data API on this machine.
    #[command(disable_help_flag = true)]
    Local(LocalArgs),
    /// Tell the story of a load in five files, on this machine alone.
    Demo(DemoArgs),
    /// Try on your own account everything that a load needs, before the first one; leave nothing
    /// behind.
    Doctor(DoctorArgs),
    /// Run one SQL statement through the Data API and print its result.
    Sql(SqlArgs),
    /// Make a settings file from the files that lie in a bucket or a folder.
    Init(InitArgs),
    /// Show and check the settings.
    Config(ConfigArgs),
    /// Make, build, check, test and measure plugins.
    Plugin(PluginArgs),
    /// Do tasks of a load that a cluster works on: frames in, frames out.
    #[command(hide = true)]
    Work,
}

/// Arguments of `run` and `retry`.
#[derive(Args, Debug)]
pub struct LoadArgs {
    /// Table of the settings file, then its files: on this machine, in data/in/, or s3://…;
    /// neither: everything that is pending, or for `retry` what failed and is still in data/in/.
    /// `retry` also takes files that were put aside, and patterns such as 'orders_*.csv'.
    #[arg(value_name = "TABLE|FILE")]
    pub words: Vec<String>,
    /// Say what the loads would do, as `loader plan` does; change nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `prune`.
#[derive(Args, Debug)]
pub struct PruneArgs {
    /// Tables of the settings file [default: all that have `ledger-days`].
    #[arg(value_name = "TABLE")]
    pub tables: Vec<String>,
    /// Say how many loads would be forgotten; change nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `gc`.
#[derive(Args, Debug)]
pub struct GcArgs {
    /// How old staged parts and unfinished copies are that are removed, in days.
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    pub older_than: u32,
    /// Say what would be removed; change nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `plan`.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// Exit with 10 when the schema would change.
    #[arg(long)]
    pub diff: bool,
    /// Print the SQL of the transaction that loads the rows, too.
    #[arg(long)]
    pub sql: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `transform`.
#[derive(Args, Debug)]
pub struct TransformArgs {
    /// File of CSV, JSON Lines or Parquet; gzip, zstd, bzip2, xz and zip are decompressed.
    pub input: PathBuf,
    /// File to write; its ending decides the format: .parquet or .csv.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `sniff`.
#[derive(Args, Debug)]
pub struct SniffArgs {
    /// CSV file to look at, or `-` for what comes in on stdin; gzip, zstd and bzip2 are
    /// decompressed.
    pub input: PathBuf,
    /// Print what was found as settings.
    #[arg(long)]
    pub toml: bool,
    /// The table that the settings are for [default: those of all tables].
    #[arg(long, value_name = "TABLE")]
    pub target_table: Option<String>,
}

/// Arguments of `init`.
#[derive(Args, Debug)]
pub struct InitArgs {
    /// Folder with the files to look at [default: data/in/ of the bucket].
    pub folder: Option<PathBuf>,
    /// File to write, or `-` for stdout [default: loader.toml].
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `local`: what the program `loader-local` takes; `loader local --help` shows it.
#[derive(Args, Debug)]
pub struct LocalArgs {
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// Arguments of `demo`.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Folder to work in; a temporary one when not given.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The plugin of the story; `default` is the one that is part of the program.
    #[arg(long, value_name = "FILE", default_value = BUILT_IN)]
    pub plugins: PathBuf,
    /// Tell all of it at once; on a terminal each page otherwise waits for a key.
    #[arg(long)]
    pub no_pause: bool,
}

/// Arguments of `doctor`: those of a load. No file and no table need to be named.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Write the answers to this file too (JSON), without the names of your account, bucket and
    /// tables: for a report to the project.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// An empty schema to work in [default: one that is made, and dropped at the end].
    #[arg(long, value_name = "NAME")]
    pub scratch_schema: Option<String>,
    /// Examine these parts alone.
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    pub only: Vec<Part>,
    #[command(flatten)]
    pub run: RunArgs,
}

/// A part of what `doctor` examines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// What a load does in S3.
    Bucket,
    /// The Data API, the database, and the user's sessions.
    Warehouse,
    /// What the database user may do in the schema, and with the table that is named.
    Rights,
    /// Loads of small files into a schema of their own.
    Loads,
    /// The words in which the warehouse refuses a statement.
    Refusals,
    /// What no public source says about Redshift.
    Answers,
    /// What was made is gone; always examined.
    #[value(skip)]
    CleanUp,
}

/// Arguments of `sql`.
#[derive(Args, Debug)]
pub struct SqlArgs {
    /// One statement.
    pub statement: String,
    /// How the rows are printed.
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub format: RowFormat,
    #[command(flatten)]
    pub run: RunArgs,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    Table,
    Csv,
    Json,
}

impl Command {
    /// Remembers Glue's own arguments, which a load's command line had beside those of the job.
    pub fn with_arguments_for_glue(mut self, names: Vec<String>) -> Command {
        match &mut self {
            Command::Run(load) | Command::Retry(load) => load.run.settings.for_glue = names,
            Command::Stage(run) => run.settings.for_glue = names,
            Command::Plan(plan) => plan.run.settings.for_glue = names,
            Command::Watch(_)
            | Command::Prune(_)
            | Command::Gc(_)
            | Command::Transform(_)
            | Command::Sniff(_)
            | Command::Local(_)
            | Command::Demo(_)
            | Command::Doctor(_)
            | Command::Sql(_)
            | Command::Status(_)
            | Command::History(_)
            | Command::Show(_)
            | Command::Report(_)
            | Command::Ls(_)
            | Command::Init(_)
            | Command::Config(_)
            | Command::Plugin(_)
            | Command::Work => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_glue_jobs_spelling_works() {
        let typed = [
            "loader",
            "run",
            "--target_table",
            "t_x",
            "--upsert_keys=[\"a_b\"]",
            "--src-bucket",
            "b",
        ];
        let typed = glue::typed(typed.iter().map(Into::into));
        let cli = Cli::read(typed.arguments).expect("parses");
        let Command::Run(run) = cli.command else { panic!("run") };
        assert_eq!(run.run.settings.target_table.as_deref(), Some("t_x"));
        assert_eq!(run.run.settings.upsert_keys.expect("given").0, ["a_b"]);
    }

    /// The NULL texts of a command line.
    fn null_texts(line: &str) -> Result<Vec<String>, String> {
        let words = ["loader", "run"].into_iter().chain(line.split(' '));
        let cli = Cli::read(words.map(OsString::from).collect());
        let Command::Run(run) = cli.map_err(|error| error.to_string())?.command else {
            panic!("run")
        };
        Ok(run.run.settings.null_value.unwrap_or_default())
    }

    #[test]
    fn a_flag_is_no_null_text_unless_it_is_tied_to_it() {
        let given = null_texts("--null-value -9999 --null-value -- --null-value=--table -v");
        assert_eq!(given, Ok(vec!["-9999".to_owned(), "--".into(), "--table".into()]));
        let given = null_texts("--null-value=--delimiter --null-value --no-such-flag");
        assert_eq!(given, Ok(vec!["--delimiter".to_owned(), "--no-such-flag".into()]));
        for flag in ["--target-table", "--delimiter=;", "--null-value", "-v", "--help"] {
            let refused = null_texts(&format!("--null-value {flag} ;")).unwrap_err();
            let remedy = format!("write --null-value={flag} where");
            assert!(refused.contains(&remedy), "{refused}");
            let given = null_texts(&format!("--null-value={flag}"));
            assert_eq!(given, Ok(vec![flag.to_owned()]));
        }
    }
}
