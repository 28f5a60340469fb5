//! COPY of what the program writes: a file with a column of every type goes through a whole load,
//! and each value is read back and compared. In every format that parts can have.

use loader_model::choices::{Choice, ParquetCompression, StagingFormat};
use loader_model::error::{Error, Kind, Result};
use loader_warehouse::checkup::samples::{self, SAMPLES, Sample};

use super::finding::{Ailment, Probed, Remedy, Verdict};
use super::findings::Findings;
use super::patient::Patient;
use super::scene::Scene;
use super::scratch::Scratch;
use super::trial_load;
use crate::cli::Part;
use crate::job::checkup::Trial;

/// A way in which parts can be written.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Way {
    format: StagingFormat,
    /// Of no effect in CSV.
    compression: ParquetCompression,
    name: &'static str,
}

/// Every way, the user's own first.
fn ways(patient: &Patient) -> Vec<(Way, bool)> {
    let (own, own_compression) =
        (patient.checkup.staging_format, patient.checkup.parquet_compression);
    let parquet = ParquetCompression::OPTIONS.iter().map(|named| Way {
        format: StagingFormat::Parquet,
        compression: named.value,
        name: named.name,
    });
    let csv = Way { format: StagingFormat::Csv, compression: own_compression, name: "csv" };
    let is_own = |way: &Way| way.format == own && way.compression == own_compression;
    let mut ways: Vec<(Way, bool)> = parquet.chain([csv]).map(|way| (way, is_own(&way))).collect();
    // `false` sorts before `true`.
    ways.sort_by_key(|(_, is_own)| !is_own);
    ways
}

/// Copies every type in the user's own format, and in the others, whose answers are told. Returns
/// whether the user's own works.
pub(super) async fn examine(
    scene: &Scene<'_>,
    scratch: &Scratch,
    findings: &mut Findings<'_>,
) -> bool {
    let mut own_works = true;
    for (way, is_own) in ways(scene.patient) {
        let probe = match way.format {
            StagingFormat::Parquet => format!("copy of parquet, {}", way.name),
            StagingFormat::Csv => "copy of csv".to_owned(),
        };
        let copying = Copying { patient: scene.patient, scratch, way, samples: &SAMPLES };
        own_works &= match is_own {
            true => findings.probe(Part::Loads, &probe, copying.of_own()).await,
            false => findings.probe(Part::Loads, &probe, copying.of_other()).await,
        };
    }
    own_works
}

/// A file with some types, written in one way.
struct Copying<'a> {
    patient: &'a Patient,
    scratch: &'a Scratch,
    way: Way,
    samples: &'a [Sample],
}

impl Copying<'_> {
    /// Copies as the user's own loads do.
    async fn of_own(&self) -> Probed {
        let error = match self.is_right().await {
            Ok(()) => return Ok(self.passed()),
            Err(error) => error,
        };
        // A permission that is missing is missing for every type.
        let wrong = if error.kind() == Kind::Internal { self.wrong().await? } else { Vec::new() };
        let seen = match wrong.as_slice() {
            [] => error.to_string(),
            wrong => format!("{error}; alone, these fail: {}", wrong.join(", ")),
        };
        let (role, bucket) =
            (&self.patient.checkup.warehouse.iam_role, &self.patient.checkup.bucket);
        let remedy = format!(
            "attach {role} to the warehouse, let Redshift assume it, and let it read \
             s3://{bucket}/data/staging/ (docs/permissions.md)"
        );
        Err::<Verdict, Error>(Error::new(error.kind(), seen)).or_do(remedy)
    }

    /// Copies in another way, for the user to know.
    async fn of_other(&self) -> Probed {
        match self.is_right().await {
            Ok(()) => Ok(self.passed()),
            Err(error) if matches!(error.kind(), Kind::Interrupted(_)) => Err(error.into()),
            Err(error) => Ok(Verdict::told(format!("your loads do not use it: {error}"))),
        }
    }

    fn passed(&self) -> Verdict {
        Verdict::passed(format!("{} types arrive as they were staged", self.samples.len()))
    }

    /// Loads the file and compares. Errors: the load's, or a value that is another.
    async fn is_right(&self) -> Result<()> {
        let column = match self.samples {
            [sample] => sample.column(),
            _ => "all",
        };
        let table = self.scratch.table(&format!("types_{}_{column}", self.way.name));
        let create = samples::create_table(&table, self.samples);
        self.patient.execute("making a table with every type", &create).await?;
        let file = trial_load::file(self.patient, &format!("{}.csv", table.table));
        let trial = Trial {
            file: &file,
            table: &table,
            keys: &[],
            staging_format: self.way.format,
            parquet_compression: self.way.compression,
            is_split: false,
        };
        trial_load::load(self.patient, &trial, &csv(self.samples)).await?;
        let query = samples::select(&table, self.samples);
        let rows = trial_load::rows_in_utc(self.patient, &query).await?;
        compare(self.samples, &trial_load::cells(&rows))
    }

    /// The types that fail in a file of their own.
    async fn wrong(&self) -> Result<Vec<String>, Ailment> {
        let mut wrong = Vec::new();
        for sample in self.samples {
            let alone = Copying { samples: std::slice::from_ref(sample), ..*self };
            match alone.is_right().await {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), Kind::Interrupted(_)) => {
                    return Err(error.into());
                }
                Err(error) => wrong.push(format!("{} ({error})", sample.sql_type)),
            }
        }
        Ok(wrong)
    }
}

/// The file: two rows of values, and one without any.
fn csv(samples: &[Sample]) -> String {
    let quoted = |value: &str| format!("\"{}\"", value.replace('"', "\"\""));
    let line = |cells: Vec<String>| cells.join(",") + "\n";
    let head = std::iter::once("row_number").chain(samples.iter().map(Sample::column));
    let mut text = line(head.map(str::to_owned).collect());
    for (row, number) in ["1", "2"].iter().enumerate() {
        let values = samples.iter().map(|sample| quoted(sample.values[row]));
        text += &line(std::iter::once((*number).to_owned()).chain(values).collect());
    }
    let nothing = samples.iter().map(|_| String::new());
    text + &line(std::iter::once("3".to_owned()).chain(nothing).collect())
}

/// Errors: `Internal`, with the first value that is another.
fn compare(samples: &[Sample], found: &[Vec<String>]) -> Result<()> {
    let wrong = |fact: String| Err(Error::new(Kind::Internal, fact));
    if found.len() != 3 {
        return wrong(format!("{} rows arrived, 3 were loaded", found.len()));
    }
    for (row, cells) in found.iter().enumerate() {
        for (sample, cell) in samples.iter().zip(cells) {
            let expected = sample.shown.get(row).copied().unwrap_or_default();
            if cell != expected {
                let sql_type = sample.sql_type;
                return wrong(format!("a {sql_type} was {expected:?} and arrived as {cell:?}"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_another_is_named() {
        let samples = [SAMPLES[0], SAMPLES[12]];
        let rows = |rows: [[&str; 2]; 3]| rows.map(|row| row.map(str::to_owned).to_vec());
        let right = [["-32768", "ä€𝄞"], ["32767", ""], ["", ""]];
        assert!(compare(&samples, &rows(right)).is_ok());
        let cut = [["-32768", "ä"], ["32767", ""], ["", ""]];
        let error = compare(&samples, &rows(cut)).expect_err("another value");
        assert_eq!(error.to_string(), "a VARCHAR(20) was \"ä€𝄞\" and arrived as \"ä\"");
        let error = compare(&samples, &rows(right)[..2]).expect_err("a row is missing");
        assert_eq!(error.to_string(), "2 rows arrived, 3 were loaded");
        insta::assert_snapshot!(csv(&samples), @r#"
        row_number,c_smallint,c_varchar
        1,"-32768","ä€𝄞"
        2,"32767",""
        3,,
        "#);
    }
}
