//! The COPY statement: `COPY t [(columns)] FROM 's3://…' authorization [options in any order]`. In:
//! tokens. Out: a checked statement, or a refusal: of mistakes that Redshift refuses too (unknown
//! or repeated options, options that do not go together), and of options that the stand-in does not
//! have.

mod values;

use super::pattern;
use super::statement::{Compression, CopyStatement, FileFormat, Moment};
use crate::sql::cursor::Cursor;
use crate::sql::error::SqlError;
use values::{ascii, escapes, number, one_character, switch};

/// Options that may stand beside PARQUET, by the names in `Options::seen`. (`IAM_ROLE` is there as
/// CREDENTIALS.)
const WITH_PARQUET: [&str; 7] = [
    "PARQUET",
    "MANIFEST",
    "ACCEPTINVCHARS",
    "FILLRECORD",
    "STATUPDATE",
    "EXPLICIT_IDS",
    "CREDENTIALS",
];
const COMPRESSIONS: [(&str, Compression); 3] =
    [("GZIP", Compression::Gzip), ("BZIP2", Compression::Bzip2), ("ZSTD", Compression::Zstd)];
type SetFlag = fn(&mut CopyStatement);

/// Options without a value.
const FLAGS: [(&str, SetFlag); 11] = [
    ("MANIFEST", |copy| copy.is_manifest = true),
    ("EXPLICIT_IDS", |copy| copy.explicit_ids = true),
    ("NOLOAD", |copy| copy.no_load = true),
    ("FILLRECORD", |copy| copy.fill_record = true),
    ("EMPTYASNULL", |copy| copy.text.empty_as_null = true),
    ("BLANKSASNULL", |copy| copy.text.blanks_as_null = true),
    ("TRIMBLANKS", |copy| copy.text.trim_blanks = true),
    ("TRUNCATECOLUMNS", |copy| copy.text.truncate_columns = true),
    ("ROUNDEC", |copy| copy.text.round_decimals = true),
    ("ACCEPTANYDATE", |copy| copy.text.accept_any_date = true),
    ("IGNOREBLANKLINES", |copy| copy.text.ignore_blank_lines = true),
];
/// Options that Redshift has and the stand-in does not.
const UNSUPPORTED: [&str; 14] = [
    "ESCAPE",
    "REMOVEQUOTES",
    "FIXEDWIDTH",
    "JSON",
    "AVRO",
    "ORC",
    "SHAPEFILE",
    "LZOP",
    "ENCRYPTED",
    "MASTER_SYMMETRIC_KEY",
    "READRATIO",
    "SSH",
    "IGNOREALLERRORS",
    "SERIALIZETOJSON",
];
/// The UNSUPPORTED options that Redshift refuses beside CSV.
const NOT_WITH_CSV: [&str; 3] = ["ESCAPE", "REMOVEQUOTES", "FIXEDWIDTH"];

/// Reads a COPY statement.
pub(crate) fn parse(mut cursor: Cursor<'_>) -> Result<CopyStatement, SqlError> {
    cursor.expect("copy")?;
    let table = cursor.qualified_name()?;
    let columns = if cursor.peeks("(") { Some(column_list(&mut cursor)?) } else { None };
    cursor.expect("from")?;
    let mut statement = CopyStatement::new(table, columns, source(cursor.literal()?)?);
    let mut options =
        Options { statement: &mut statement, seen: Vec::new(), delimiter: None, quote: None };
    while !cursor.is_at_end() {
        options.option(&mut cursor)?;
    }
    options.finish()?;
    Ok(statement)
}

fn column_list(cursor: &mut Cursor<'_>) -> Result<Vec<String>, SqlError> {
    cursor.expect("(")?;
    let mut columns = Vec::new();
    loop {
        let name = cursor.identifier()?;
        if columns.contains(&name) {
            return Err(SqlError::new(format!("column \"{name}\" specified more than once")));
        }
        columns.push(name);
        if cursor.eat(")") {
            return Ok(columns);
        }
        cursor.expect(",")?;
    }
}

fn source(url: &str) -> Result<(String, String), SqlError> {
    let Some(rest) = url.strip_prefix("s3://") else {
        return Err(SqlError::unsupported(&format!("COPY FROM '{url}' (only s3:// sources)")));
    };
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(SqlError::new(format!("The S3 bucket name in '{url}' is missing")));
    }
    Ok((bucket.to_owned(), key.to_owned()))
}

/// The options read so far.
// Options may come in any order (`DELIMITER ';' CSV`). So the delimiter and the quote are kept here
// until all options are known, because their defaults depend on CSV.
struct Options<'a> {
    statement: &'a mut CopyStatement,
    seen: Vec<&'static str>,
    delimiter: Option<u8>,
    quote: Option<u8>,
}

impl Options<'_> {
    /// Notes that an option was given; refuses it the second time.
    fn see(&mut self, option: &'static str) -> Result<(), SqlError> {
        if self.seen.contains(&option) {
            return Err(SqlError::new(format!(
                "conflicting or redundant options: {option} is given twice"
            )));
        }
        self.seen.push(option);
        Ok(())
    }

    fn has(&self, option: &str) -> bool {
        self.seen.contains(&option)
    }

    /// Reads the option at the cursor with its value.
    fn option(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
        let word = cursor.text().to_ascii_uppercase();
        // A syntax error must point at the option's word, which the families of options have
        // passed.
        let start = cursor.clone();
        cursor.skip();
        let is_known = if word == "FORMAT" {
            cursor.eat("as");
            let format = cursor.text().to_ascii_uppercase();
            cursor.skip();
            self.file_option(&format, cursor)?
        } else {
            self.authorization(&word, cursor)?
                || self.flag(&word)?
                || self.file_option(&word, cursor)?
                || self.text_option(&word, cursor)?
                || self.load_option(&word, cursor)?
        };
        if is_known { Ok(()) } else { Err(start.syntax_error()) }
    }

    // Each method below reads one family of options. It answers false, with the cursor unmoved,
    // when the word is not of its family, because `option` then asks the next method.

    // All forms of authorization are seen as CREDENTIALS, so that a second one is refused as
    // repeated. SECRET_ACCESS_KEY and SESSION_TOKEN are not seen: they complete ACCESS_KEY_ID.
    fn authorization(&mut self, word: &str, cursor: &mut Cursor<'_>) -> Result<bool, SqlError> {
        match word {
            "IAM_ROLE" | "CREDENTIALS" | "ACCESS_KEY_ID" => self.see("CREDENTIALS")?,
            "WITH" => {
                cursor.expect("credentials")?;
                self.see("CREDENTIALS")?;
            }
            "SECRET_ACCESS_KEY" | "SESSION_TOKEN" => {}
            _ => return Ok(false),
        }
        if word == "IAM_ROLE" && cursor.eat("default") {
            return Ok(true);
        }
        cursor.eat("as");
        let value = cursor.literal()?;
        let is_role = value.split(',').all(|role| role.starts_with("arn:aws"));
        if word == "IAM_ROLE" && !is_role && value != "default" {
            return Err(SqlError::new(format!(
                "Invalid IAM_ROLE '{value}': it must be the ARN of a role, or default"
            )));
        }
        Ok(true)
    }

    fn flag(&mut self, word: &str) -> Result<bool, SqlError> {
        let Some((name, set)) = FLAGS.iter().find(|(name, _)| *name == word) else {
            return Ok(false);
        };
        set(self.statement);
        self.see(name)?;
        Ok(true)
    }

    fn file_option(&mut self, word: &str, cursor: &mut Cursor<'_>) -> Result<bool, SqlError> {
        match word {
            "CSV" => {
                self.statement.format = FileFormat::Csv;
                self.see("CSV")?;
            }
            "PARQUET" => {
                self.statement.format = FileFormat::Parquet;
                self.see("PARQUET")?;
            }
            "QUOTE" => {
                self.see("QUOTE")?;
                self.quote = Some(one_character("QUOTE", cursor)?);
            }
            "DELIMITER" => {
                self.see("DELIMITER")?;
                self.delimiter = Some(one_character("DELIMITER", cursor)?);
            }
            _ if self.has("CSV") && NOT_WITH_CSV.contains(&word) => {
                return Err(SqlError::new(format!("CSV is not compatible with {word}")));
            }
            _ if UNSUPPORTED.contains(&word) => {
                return Err(SqlError::unsupported(&format!("COPY option {word}")));
            }
            _ => return self.compression(word),
        }
        Ok(true)
    }

    fn compression(&mut self, word: &str) -> Result<bool, SqlError> {
        let Some((name, compression)) = COMPRESSIONS.iter().find(|(name, _)| *name == word) else {
            return Ok(false);
        };
        if let Some((other, _)) = COMPRESSIONS.iter().find(|(other, _)| self.has(other)) {
            return Err(SqlError::new(format!(
                "conflicting or redundant options: {other} and {name}"
            )));
        }
        self.statement.compression = *compression;
        self.see(name)?;
        Ok(true)
    }

    fn text_option(&mut self, word: &str, cursor: &mut Cursor<'_>) -> Result<bool, SqlError> {
        match word {
            "NULL" => {
                cursor.eat("as");
                self.see("NULL")?;
                self.statement.text.null_as = escapes(&cursor.raw_literal()?);
            }
            "IGNOREHEADER" => {
                cursor.eat("as");
                self.see("IGNOREHEADER")?;
                self.statement.text.ignore_header = number(cursor)?;
            }
            "DATEFORMAT" => self.statement.text.date_format = self.moment("DATEFORMAT", cursor)?,
            "TIMEFORMAT" => self.statement.text.time_format = self.moment("TIMEFORMAT", cursor)?,
            "ACCEPTINVCHARS" => {
                let has_value = cursor.eat("as") || cursor.text().starts_with('\'');
                self.see("ACCEPTINVCHARS")?;
                self.statement.text.accept_invalid = Some(match has_value {
                    true => ascii("ACCEPTINVCHARS", &cursor.raw_literal()?)?,
                    false => b'?',
                });
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn moment(
        &mut self,
        option: &'static str,
        cursor: &mut Cursor<'_>,
    ) -> Result<Moment, SqlError> {
        self.see(option)?;
        cursor.eat("as");
        Ok(match cursor.literal()? {
            "auto" => Moment::Auto,
            "epochsecs" if option == "TIMEFORMAT" => Moment::EpochSeconds,
            "epochmillisecs" if option == "TIMEFORMAT" => Moment::EpochMilliseconds,
            pattern => {
                pattern::check(pattern)
                    .map_err(|bad| SqlError::new(format!("Invalid {option} '{pattern}': {bad}")))?;
                Moment::Pattern(pattern.to_owned())
            }
        })
    }

    fn load_option(&mut self, word: &str, cursor: &mut Cursor<'_>) -> Result<bool, SqlError> {
        match word {
            "MAXERROR" => {
                cursor.eat("as");
                self.see("MAXERROR")?;
                self.statement.max_errors = max_errors(number(cursor)?)?;
            }
            "REGION" => {
                cursor.eat("as");
                self.see("REGION")?;
                self.statement.region = Some(cursor.literal()?.to_ascii_lowercase());
            }
            "ENCODING" => {
                cursor.eat("as");
                let encoding = cursor.text().to_ascii_uppercase();
                cursor.skip();
                self.see("ENCODING")?;
                if encoding != "UTF8" {
                    return Err(SqlError::unsupported(&format!("ENCODING {encoding}")));
                }
            }
            "COMPUPDATE" => {
                let _ = cursor.eat("preset") || switch(cursor);
                self.see("COMPUPDATE")?;
            }
            "STATUPDATE" => {
                switch(cursor);
                self.see("STATUPDATE")?;
            }
            "COMPROWS" => {
                self.see("COMPROWS")?;
                number(cursor)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Checks the rules that need all options, such as a missing authorization.
    fn finish(self) -> Result<(), SqlError> {
        if !self.has("CREDENTIALS") {
            return Err(SqlError::new(
                "COPY needs an authorization: IAM_ROLE 'arn:…', IAM_ROLE default or CREDENTIALS",
            ));
        }
        if !self.has("PARQUET") {
            return self.set_separators();
        }
        let bad = self.seen.iter().find(|seen| !WITH_PARQUET.contains(seen));
        bad.map_or(Ok(()), |bad| {
            Err(SqlError::new(format!("{bad} argument is not supported for PARQUET based COPY")))
        })
    }

    fn set_separators(self) -> Result<(), SqlError> {
        let is_csv = self.statement.format == FileFormat::Csv;
        if self.quote.is_some() && !is_csv {
            return Err(SqlError::new("QUOTE is only supported with CSV"));
        }
        let delimiter = self.delimiter.unwrap_or(if is_csv { b',' } else { b'|' });
        let quote = is_csv.then(|| self.quote.unwrap_or(b'"'));
        if quote == Some(delimiter) {
            return Err(SqlError::new("COPY delimiter and quote must be different"));
        }
        self.statement.text.delimiter = delimiter;
        self.statement.text.quote = quote;
        Ok(())
    }
}

fn max_errors(asked: u64) -> Result<usize, SqlError> {
    // The load fails when it has found this many errors. MAXERROR 0 allows none, so the load fails
    // at the first one, as with MAXERROR 1.
    if asked > 100_000 {
        return Err(SqlError::new("MAXERROR must be between 0 and 100000"));
    }
    Ok(usize::try_from(asked.max(1)).unwrap_or(1))
}

#[cfg(test)]
mod tests;
