//! The counts that are kept, as a file; how they are compared; how callgrind's output is read.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, failure};

/// So much more may a layer take. Libraries of another system, and hash tables whose seed differs
/// in each run, change a count by less.
const TOLERANCE: f64 = 0.03;

const HEADER: &str = "\
# What a row of TPC-H `lineitem` takes in each layer of the data path, in the dev build;
# `cargo xtask bench count --update` writes it. See docs/performance.md, \"Layers\".
";

/// What was counted, and with what.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counts {
    pub(super) rustc: String,
    pub(super) processor: String,
    /// By the name of the layer.
    pub(super) instructions_per_row: BTreeMap<String, f64>,
}

/// What became of the counts.
pub(super) struct Compared {
    /// A line for each layer, and what to do.
    pub(super) text: String,
    /// The layers that take more than they may, each as a sentence without its end.
    pub(super) more: Vec<String>,
}

pub(super) fn read(path: &Path) -> Result<Counts, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
    let read = text.and_then(|text| toml::from_str(&text).map_err(|error| error.to_string()));
    read.or_else(|error| {
        failure(format!(
            "{} cannot be read; `cargo xtask bench count --update` writes it anew: {error}",
            path.display()
        ))
    })
}

pub(super) fn write(path: &Path, counts: &Counts) -> Result<(), Failure> {
    let round = |(name, count): (&String, &f64)| (name.clone(), (count * 100.0).round() / 100.0);
    let instructions_per_row = counts.instructions_per_row.iter().map(round).collect();
    let (rustc, processor) = (counts.rustc.clone(), counts.processor.clone());
    let rounded = Counts { rustc, processor, instructions_per_row };
    let text = toml::to_string(&rounded).map_err(|error| error.to_string());
    let written = text.and_then(|text| {
        std::fs::write(path, format!("{HEADER}{text}")).map_err(|error| error.to_string())
    });
    written
        .or_else(|error| failure(format!("{} cannot be written; may you? {error}", path.display())))
}

/// Compares each layer that was counted with what is kept of it. A layer of which nothing is kept
/// is as one that takes more: its count is to be kept.
pub(super) fn compare(kept: &Counts, now: &Counts) -> Compared {
    let mut compared = Compared { text: String::new(), more: Vec::new() };
    let mut is_less = false;
    for (layer, is) in &now.instructions_per_row {
        let was = kept.instructions_per_row.get(layer).copied().unwrap_or_default();
        let change = is / was - 1.0;
        let verdict = match change {
            change if change > TOLERANCE => ", which is more",
            change if change < -TOLERANCE => ", which is less",
            _ => "",
        };
        if change > TOLERANCE {
            let sentence = format!("{layer} takes {is:.2} instructions a row, and took {was:.2}");
            compared.more.push(sentence);
        }
        is_less |= change < -TOLERANCE;
        // Plus 0, so that a change of nothing is not -0.0.
        let percent = (change * 1000.0).round() / 10.0 + 0.0;
        // Writing to a String cannot fail.
        let _ = writeln!(
            compared.text,
            "  {layer:<8} was {was:>9.2} instructions a row, is {is:>9.2}: {percent:+.1} %{verdict}"
        );
    }
    if is_less {
        compared.text.push_str(
            "a layer takes fewer instructions than are kept, so that it could take more again \
             without a word: run `cargo xtask bench count --update`\n",
        );
    }
    compared
}

/// What callgrind says that it has counted: `==7== Collected : 8123456`.
pub(super) fn instructions(stderr: &str) -> Option<f64> {
    let (_, counted) = stderr.lines().find_map(|line| line.split_once("Collected :"))?;
    // Without a function of the name nothing is collected, which is no count.
    counted.trim().parse().ok().filter(|count| *count > 0.0)
}

/// What `loader-bench count` prints: `30201 rows on x86_64 with AVX2`.
pub(super) fn rows(stdout: &str) -> Option<(f64, String)> {
    let (rows, processor) = stdout.trim().split_once(" rows on ")?;
    let rows = rows.parse().ok().filter(|rows| *rows > 0.0)?;
    Some((rows, processor.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(layers: &[(&str, f64)]) -> Counts {
        let layers = layers.iter().map(|(name, count)| ((*name).to_owned(), *count));
        Counts { instructions_per_row: layers.collect(), ..Counts::default() }
    }

    #[test]
    fn only_more_than_three_in_a_hundred_fails() {
        let kept = counts(&[("decode", 1000.0)]);
        for (is, is_more, says) in [
            (1031.0, true, "+3.1 %, which is more"),
            (1029.0, false, "+2.9 %\n"),
            (971.0, false, "-2.9 %\n"),
            (969.0, false, "-3.1 %, which is less\na layer takes fewer"),
        ] {
            let compared = compare(&kept, &counts(&[("decode", is)]));
            assert_eq!(!compared.more.is_empty(), is_more, "{is}");
            assert!(compared.text.contains(says), "{}", compared.text);
        }
        let compared = compare(&kept, &counts(&[("decode", 1000.0), ("new", 1.0)]));
        assert_eq!(compared.more, ["new takes 1.00 instructions a row, and took 0.00"]);
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instructions.toml");
        assert!(read(&path).unwrap_err().to_string().contains("--update` writes it anew"));
        let mut now = counts(&[("decode", 1234.5678), ("split", 1.5)]);
        (now.rustc, now.processor) = ("rustc 1".to_owned(), "x86_64".to_owned());
        write(&path, &now).unwrap();
        let kept = read(&path).unwrap();
        assert_eq!((kept.rustc.as_str(), kept.processor.as_str()), ("rustc 1", "x86_64"));
        assert_eq!(kept.instructions_per_row["decode"], 1234.57);
        assert!(compare(&kept, &now).more.is_empty());
    }

    #[test]
    fn the_output_of_callgrind_is_read() {
        let said = "==7== Events    : Ir\n==7== Collected : 8123456\n==7==\n";
        assert_eq!(instructions(said), Some(8_123_456.0));
        assert_eq!(instructions("==7== Collected : 0\n"), None);
        assert_eq!(instructions("==7== Fatal"), None);
        let found = rows("30201 rows on x86_64 with AVX2\n");
        assert_eq!(found, Some((30201.0, "x86_64 with AVX2".to_owned())));
        assert_eq!(rows(""), None);
    }
}
