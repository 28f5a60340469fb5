//! The COPY statement: `COPY t [(columns)] FROM 's3://…' authorization [options in any order]`. In:
//! tokens. Out: a checked statement, or the refusal of what Redshift refuses (unknown or repeated
//! options, options that do not go together) and of what is not built.

mod values;

use values::{ascii, escapes, number, one_character, switch};

use super::pattern;
use super::statement::{Compression, CopyStatement, FileFormat, Moment, TextOptions};
use crate::sql::cursor::Cursor;
use crate::sql::error::SqlError;

/// Options that Parquet goes with; the names are those that `seen` holds.
const WITH_PARQUET: [&str; 7] = [
    "PARQUET",
    "MANIFEST",
    "ACCEPTINVCHARS",
    "FILLRECORD",
    "STATUPDATE",
    "EXPLICIT_IDS",
    "CREDENTIALS",
];
const COMPRESSIONS: [&str; 3] = ["GZIP", "BZIP2", "ZSTD"];

/// Reads a COPY statement.
pub(crate) fn parse(mut cursor: Cursor<'_>) -> Result<CopyStatement, SqlError> {
    cursor.expect("copy")?;
    let table = cursor.qualified_name()?;
    let columns = if cursor.peeks("(") { Some(column_list(&mut cursor)?) } else { None };
    cursor.expect("from")?;
    let (bucket, key) = source(cursor.literal()?)?;
    let mut statement = CopyStatement {
        table,
        columns,
        bucket,
        key,
        is_manifest: false,
        format: FileFormat::Delimited,
        compression: Compression::None,
        explicit_ids: false,
        no_load: false,
        fill_record: false,
        max_errors: 1,
        text: TextOptions::default(),
    };
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

struct Options<'a> {
    statement: &'a mut CopyStatement,
    seen: Vec<&'static str>,
    delimiter: Option<u8>,
    quote: Option<u8>,
}

impl Options<'_> {
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

    fn option(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
        let word = cursor.text().to_ascii_uppercase();
        let start = cursor.clone();
        cursor.skip();
        match word.as_str() {
            "FORMAT" => {
                cursor.eat("as");
                let format = cursor.text().to_ascii_uppercase();
                cursor.skip();
                return self
                    .file_format(&format, cursor)
                    .unwrap_or_else(|| Err(start.syntax_error()));
            }
            "IAM_ROLE" | "CREDENTIALS" | "ACCESS_KEY_ID" | "SECRET_ACCESS_KEY"
            | "SESSION_TOKEN" | "WITH" => {
                return self.authorization(&word, cursor);
            }
            _ => {}
        }
        if let Some(done) = self.file_format(&word, cursor) {
            return done;
        }
        if let Some(done) = self.text_option(&word, cursor) {
            return done;
        }
        self.load_option(&word, cursor).unwrap_or_else(|| Err(start.syntax_error()))
    }

    fn authorization(&mut self, word: &str, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
        if word == "WITH" {
            cursor.expect("credentials")?;
        }
        match word {
            "ACCESS_KEY_ID" => self.see("CREDENTIALS")?,
            "SECRET_ACCESS_KEY" | "SESSION_TOKEN" => {}
            _ => self.see("CREDENTIALS")?,
        }
        if word == "IAM_ROLE" && cursor.eat("default") {
            return Ok(());
        }
        cursor.eat("as");
        let value = cursor.literal()?;
        let is_role = value.split(',').all(|role| role.starts_with("arn:aws"));
        if word == "IAM_ROLE" && !is_role && value != "default" {
            return Err(SqlError::new(format!(
                "Invalid IAM_ROLE '{value}': it must be the ARN of a role, or default"
            )));
        }
        Ok(())
    }

    fn file_format(&mut self, word: &str, cursor: &mut Cursor<'_>) -> Option<Result<(), SqlError>> {
        Some(match word {
            "CSV" => {
                self.statement.format = FileFormat::Csv;
                self.see("CSV")
            }
            "PARQUET" => {
                self.statement.format = FileFormat::Parquet;
                self.see("PARQUET")
            }
            "QUOTE" => self.see("QUOTE").and_then(|()| {
                self.quote = Some(one_character("QUOTE", cursor)?);
                Ok(())
            }),
            "DELIMITER" => self.see("DELIMITER").and_then(|()| {
                self.delimiter = Some(one_character("DELIMITER", cursor)?);
                Ok(())
            }),
            "ESCAPE" | "REMOVEQUOTES" | "FIXEDWIDTH" if self.has("CSV") => {
                Err(SqlError::new(format!("CSV is not compatible with {word}")))
            }
            "ESCAPE"
            | "REMOVEQUOTES"
            | "FIXEDWIDTH"
            | "JSON"
            | "AVRO"
            | "ORC"
            | "SHAPEFILE"
            | "LZOP"
            | "ENCRYPTED"
            | "MASTER_SYMMETRIC_KEY"
            | "READRATIO"
            | "SSH"
            | "IGNOREALLERRORS"
            | "SERIALIZETOJSON" => Err(SqlError::unsupported(&format!("COPY option {word}"))),
            "GZIP" => self.compression("GZIP", Compression::Gzip),
            "BZIP2" => self.compression("BZIP2", Compression::Bzip2),
            "ZSTD" => self.compression("ZSTD", Compression::Zstd),
            _ => return None,
        })
    }

    fn compression(
        &mut self,
        name: &'static str,
        compression: Compression,
    ) -> Result<(), SqlError> {
        if let Some(other) = COMPRESSIONS.iter().find(|other| self.has(other)) {
            return Err(SqlError::new(format!(
                "conflicting or redundant options: {other} and {name}"
            )));
        }
        self.statement.compression = compression;
        self.see(name)
    }

    fn text_option(&mut self, word: &str, cursor: &mut Cursor<'_>) -> Option<Result<(), SqlError>> {
        let text = &mut self.statement.text;
        Some(match word {
            "NULL" => {
                cursor.eat("as");
                self.see("NULL").and_then(|()| {
                    self.statement.text.null_as = escapes(&cursor.raw_literal()?);
                    Ok(())
                })
            }
            "IGNOREHEADER" => {
                cursor.eat("as");
                self.see("IGNOREHEADER").and_then(|()| {
                    self.statement.text.ignore_header = number(cursor)?;
                    Ok(())
                })
            }
            "DATEFORMAT" => self
                .moment("DATEFORMAT", cursor)
                .map(|moment| self.statement.text.date_format = moment),
            "TIMEFORMAT" => self
                .moment("TIMEFORMAT", cursor)
                .map(|moment| self.statement.text.time_format = moment),
            "EMPTYASNULL" => {
                text.empty_as_null = true;
                self.see("EMPTYASNULL")
            }
            "BLANKSASNULL" => {
                text.blanks_as_null = true;
                self.see("BLANKSASNULL")
            }
            "TRIMBLANKS" => {
                text.trim_blanks = true;
                self.see("TRIMBLANKS")
            }
            "TRUNCATECOLUMNS" => {
                text.truncate_columns = true;
                self.see("TRUNCATECOLUMNS")
            }
            "ROUNDEC" => {
                text.round_decimals = true;
                self.see("ROUNDEC")
            }
            "ACCEPTANYDATE" => {
                text.accept_any_date = true;
                self.see("ACCEPTANYDATE")
            }
            "IGNOREBLANKLINES" => {
                text.ignore_blank_lines = true;
                self.see("IGNOREBLANKLINES")
            }
            "ACCEPTINVCHARS" => {
                let has_as = cursor.eat("as");
                text.accept_invalid = Some(b'?');
                self.see("ACCEPTINVCHARS").and_then(|()| {
                    if has_as || cursor.text().starts_with('\'') {
                        self.statement.text.accept_invalid =
                            Some(ascii("ACCEPTINVCHARS", &cursor.raw_literal()?)?);
                    }
                    Ok(())
                })
            }
            _ => return None,
        })
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

    fn load_option(&mut self, word: &str, cursor: &mut Cursor<'_>) -> Option<Result<(), SqlError>> {
        Some(match word {
            "MANIFEST" => {
                self.statement.is_manifest = true;
                self.see("MANIFEST")
            }
            "EXPLICIT_IDS" => {
                self.statement.explicit_ids = true;
                self.see("EXPLICIT_IDS")
            }
            "NOLOAD" => {
                self.statement.no_load = true;
                self.see("NOLOAD")
            }
            "FILLRECORD" => {
                self.statement.fill_record = true;
                self.see("FILLRECORD")
            }
            "MAXERROR" => {
                cursor.eat("as");
                self.see("MAXERROR").and_then(|()| {
                    let errors = number(cursor)?;
                    if errors > 100_000 {
                        return Err(SqlError::new("MAXERROR must be between 0 and 100000"));
                    }
                    self.statement.max_errors = usize::try_from(errors.max(1)).unwrap_or(1);
                    Ok(())
                })
            }
            "REGION" => {
                cursor.eat("as");
                self.see("REGION").and_then(|()| cursor.literal().map(drop))
            }
            "ENCODING" => {
                cursor.eat("as");
                let encoding = cursor.text().to_ascii_uppercase();
                cursor.skip();
                self.see("ENCODING").and_then(|()| {
                    if encoding == "UTF8" {
                        Ok(())
                    } else {
                        Err(SqlError::unsupported(&format!("ENCODING {encoding}")))
                    }
                })
            }
            "COMPUPDATE" => {
                let _ = cursor.eat("preset") || switch(cursor);
                self.see("COMPUPDATE")
            }
            "STATUPDATE" => {
                switch(cursor);
                self.see("STATUPDATE")
            }
            "COMPROWS" => self.see("COMPROWS").and_then(|()| number(cursor).map(drop)),
            _ => return None,
        })
    }

    fn finish(self) -> Result<(), SqlError> {
        if !self.has("CREDENTIALS") {
            return Err(SqlError::new(
                "COPY needs an authorization: IAM_ROLE 'arn:…', IAM_ROLE default or CREDENTIALS",
            ));
        }
        if self.has("PARQUET") {
            let bad = self.seen.iter().find(|seen| !WITH_PARQUET.contains(seen));
            return bad.map_or(Ok(()), |bad| {
                Err(SqlError::new(format!("{bad} option is not supported for COPY from PARQUET")))
            });
        }
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

#[cfg(test)]
mod tests;
