//! How a job reads and transforms rows: dialect, plugins, limits, workers.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use loader_csv::{DelimiterTail, Dialect, FieldForm};
use loader_data::column_spec::ColumnSpec;
use loader_data::encoding::Encoding;
use loader_data::infer::Footer;
use loader_model::choices::{
    DialectSource, FileFormat, Quotes, RepeatedHeader, ShortRows, TrailingDelimiter,
};
use loader_model::error::{Context, Kind, Result};
use loader_model::max_rejects::MaxRejects;
use loader_sandbox::Limits;

use super::chain::{self, PluginSettings};
use super::columns;
use super::required::config;
use crate::settings::Settings;
use crate::settings::dialect_settings::DialectSettings;

/// How the rows of a file become typed rows. `loader transform` needs no other settings.
#[derive(Clone, Debug)]
pub struct TransformSettings {
    /// What the settings say of how files are read.
    pub given: DialectSettings,
    /// What this comes to, without what a file looks like.
    pub form: Form,
    pub dialect_source: DialectSource,
    /// Names of the file's columns, in place of those of the header.
    pub column_names: Option<Vec<String>>,
    /// What the user says of single columns.
    pub columns: Vec<ColumnSpec>,
    pub plugins: Vec<PluginSettings>,
    /// Notices about the settings for the report, such as a chain of the settings file that
    /// `--plugins` overrules.
    pub notices: Vec<String>,
    pub plugin_cache: PluginCache,
    pub capture: Option<CaptureSettings>,
    pub limits: Limits,
    /// Rows that may be refused before the whole file is.
    pub max_rejects: MaxRejects,
    pub workers: NonZeroUsize,
}

/// How a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub format: FileFormat,
    /// `None`: UTF-8, or what a byte order mark says.
    pub encoding: Option<Encoding>,
    pub dialect: Dialect,
    pub footer: Option<Footer>,
}

impl Form {
    /// The form of a file that has so many columns, if that is known.
    #[must_use]
    pub fn with_columns(self, columns: Option<usize>) -> Form {
        Form { dialect: Dialect { columns, ..self.dialect }, ..self }
    }
}

/// Which rows of a run are kept as test cases for its plugins, and where.
#[derive(Clone, Debug)]
pub struct CaptureSettings {
    /// Rows for each plugin.
    pub rows: usize,
    /// The folder of the cases.
    pub dir: PathBuf,
}

/// Where compiled plugins are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginCache {
    /// The user's cache folder.
    Default,
    Dir(PathBuf),
    Off,
}

impl TransformSettings {
    /// Decides how rows are read and transformed. Errors: `Config`.
    pub fn decide(settings: Settings) -> Result<TransformSettings> {
        let workers = workers(&settings)?;
        let table = settings.target_table.as_deref();
        let target = table.map(|table| settings.table_named(table)).transpose()?;
        let (plugins, mut notices) = chain::decide(&settings, target.as_ref())?;
        notices.extend(notice_of_glue(&settings.for_glue));
        Ok(TransformSettings {
            workers,
            form: form(&DialectSettings::of(&settings))?
                .with_columns(settings.column_names.as_ref().map(|names| names.0.len())),
            given: DialectSettings::of(&settings),
            dialect_source: settings.dialect.unwrap_or_default(),
            column_names: settings.column_names.clone().map(|names| names.0),
            columns: columns::decide(&settings, target.as_ref())?,
            plugins,
            notices,
            plugin_cache: plugin_cache(&settings),
            capture: capture(&settings)?,
            limits: settings.limits.unwrap_or_default(),
            max_rejects: settings.max_rejects.unwrap_or_default(),
        })
    }
}

fn notice_of_glue(for_glue: &[String]) -> Option<String> {
    let names = for_glue.join(", ");
    (!for_glue.is_empty())
        .then(|| format!("arguments that are for Glue itself were ignored: {names}"))
}

fn workers(settings: &Settings) -> Result<NonZeroUsize> {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(settings.workers.unwrap_or_else(cores))
        .ok_or_else(|| config("--workers 0 would do nothing; give 1 or more"))
}

fn plugin_cache(settings: &Settings) -> PluginCache {
    match settings.plugin_cache.as_deref() {
        None => PluginCache::Default,
        Some("none") => PluginCache::Off,
        Some(dir) => PluginCache::Dir(dir.into()),
    }
}

/// What settings come to, without the number of columns that names would tell. Errors: `Config`.
pub(crate) fn form(settings: &DialectSettings) -> Result<Form> {
    let encoding = settings.encoding.as_deref().map(Encoding::of_label).transpose()?;
    let format = settings.file_format.unwrap_or_default();
    Ok(Form { format, encoding, dialect: dialect(settings)?, footer: footer(settings)? })
}

fn dialect(settings: &DialectSettings) -> Result<Dialect> {
    let defaults = Dialect::default();
    let quote = quote(settings, defaults.quote)?;
    let (delimiter, delimiter_tail) = delimiter(settings, defaults.delimiter)?;
    let dialect = Dialect {
        delimiter,
        delimiter_tail,
        quote,
        escape: byte(settings.escape.as_deref(), "--escape")?,
        header: !settings.no_header.unwrap_or(false),
        columns: None,
        header_rows: header_rows(settings)?,
        trim: settings.trim.unwrap_or(false),
        skip_rows: settings.skip_rows.unwrap_or(0),
        comment: byte(settings.comment.as_deref(), "--comment")?,
        null_tokens: settings.null_value.clone().unwrap_or_default(),
        quoted_nulls: settings.null_quoted.unwrap_or(false),
        leading_zeros: columns::leading_zeros(settings.leading_zeros.unwrap_or_default()),
        repeated_header: match settings.repeated_header.unwrap_or_default() {
            RepeatedHeader::Skip => loader_csv::RepeatedHeader::Skip,
            RepeatedHeader::Keep => loader_csv::RepeatedHeader::Keep,
        },
        quotes: match settings.quotes.unwrap_or_default() {
            Quotes::Strict => loader_csv::Quotes::Strict,
            Quotes::Lenient => loader_csv::Quotes::Lenient,
        },
        short_rows: match settings.short_rows.unwrap_or_default() {
            ShortRows::Reject => loader_csv::ShortRows::Reject,
            ShortRows::Fill => loader_csv::ShortRows::Fill,
        },
        trailing_delimiter: match settings.trailing_delimiter.unwrap_or_default() {
            TrailingDelimiter::Reject => loader_csv::TrailingDelimiter::Reject,
            TrailingDelimiter::Allow => loader_csv::TrailingDelimiter::Allow,
        },
        field_form: FieldForm::Csv,
    };
    dialect.check().context(Kind::Config, "the CSV dialect cannot be read")?;
    Ok(dialect)
}

/// The first character of the delimiter, and those behind it.
fn delimiter(settings: &DialectSettings, default: u8) -> Result<(u8, DelimiterTail)> {
    let Some(text) = settings.delimiter.as_deref() else {
        return Ok((default, DelimiterTail::default()));
    };
    let text = text.replace("\\t", "\t");
    let parts = text.as_bytes().split_first();
    let parts = parts.and_then(|(first, rest)| Some((*first, DelimiterTail::new(rest)?)));
    parts.filter(|_| text.bytes().all(is_usable)).ok_or_else(|| {
        config(format!(
            "--delimiter `{text}` is not one to eight ASCII characters (\\t for the tabulator)"
        ))
    })
}

fn header_rows(settings: &DialectSettings) -> Result<u64> {
    let no_header = settings.no_header.unwrap_or(false);
    match settings.header_rows {
        Some(0) => Err(config("--header-rows 0 is no header; say --no-header")),
        Some(_) if no_header => Err(config("--no-header and --header-rows contradict; drop one")),
        rows => Ok(rows.unwrap_or(1)),
    }
}

/// What the settings say of a footer.
fn footer(settings: &DialectSettings) -> Result<Option<Footer>> {
    match (settings.skip_footer, &settings.footer) {
        (Some(_), Some(_)) => {
            Err(config("--skip-footer and --footer both say what the footer is; drop one"))
        }
        (None | Some(0), None) => Ok(None),
        (Some(lines), None) => Ok(Some(Footer::Lines(lines))),
        (None, Some(text)) if text.trim().is_empty() => {
            Err(config("--footer needs the text that the footer begins with"))
        }
        (None, Some(text)) => Ok(Some(Footer::Begins(text.clone()))),
    }
}

fn is_usable(byte: u8) -> bool {
    byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0)
}

fn quote(settings: &DialectSettings, default: Option<u8>) -> Result<Option<u8>> {
    match settings.quote.as_deref() {
        Some("none") => Ok(None),
        Some(text) => byte(Some(text), "--quote"),
        None => Ok(default),
    }
}

/// One ASCII character, or the two characters `\t` for a tabulator, as a shell passes `'\t'`. Line
/// ends and NUL are refused: records end with the former, and no file may have the latter.
fn byte(text: Option<&str>, flag: &str) -> Result<Option<u8>> {
    let Some(text) = text else { return Ok(None) };
    match text.as_bytes() {
        [b'\\', b't'] => Ok(Some(b'\t')),
        [byte] if is_usable(*byte) => Ok(Some(*byte)),
        _ => Err(config(format!(
            "{flag} `{text}` is not one ASCII character (\\t for the tabulator)"
        ))),
    }
}

/// The most rows that `--capture` takes. They are held in memory, once for each plugin of the
/// chain.
const MAX_CAPTURED_ROWS: usize = 10_000;

fn capture(settings: &Settings) -> Result<Option<CaptureSettings>> {
    let dir = || settings.capture_dir.clone().unwrap_or_else(|| "plugin-cases".into());
    match settings.capture {
        None => Ok(None),
        Some(0) => Err(config("--capture 0 would capture nothing; give 1 or more")),
        Some(rows) if rows > MAX_CAPTURED_ROWS => {
            let fact = format!(
                "--capture {rows} is more than a test case needs; give at most {MAX_CAPTURED_ROWS}"
            );
            Err(config(fact))
        }
        Some(rows) => Ok(Some(CaptureSettings { rows, dir: dir() })),
    }
}
