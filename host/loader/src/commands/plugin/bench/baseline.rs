//! The baseline of a plugin: what its cases cost when the author last accepted the figures. It is
//! `bench.toml`, committed beside the folder of the cases.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;

use loader_harness::Measured;
use loader_model::error::{Context, Error, Kind, Result};
use serde::Deserialize;

/// The costs of a case that are the same everywhere.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Figures {
    /// Instructions for each row, as wasmtime weighs them.
    pub(super) fuel_per_row: u64,
    /// The most linear memory that the plugin had.
    pub(super) peak_memory_bytes: u64,
}

impl Figures {
    pub(super) fn of(measured: &Measured) -> Figures {
        Figures {
            fuel_per_row: measured.fuel_per_row().unwrap_or(0.0).round() as u64,
            peak_memory_bytes: measured.cost.peak_memory_bytes,
        }
    }
}

/// The figures of all cases, and the digest of the build that they were measured on.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    pub(super) sha256: String,
    case: BTreeMap<String, Figures>,
}

impl Baseline {
    /// Reads a baseline; `None` when there is no such file. Errors: `Config` when the file cannot
    /// be read or is no baseline.
    pub(super) fn read(path: &Path) -> Result<Option<Baseline>> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Error::new(
                    Kind::Config,
                    format!("{} cannot be read: {error}", path.display()),
                ));
            }
        };
        toml::from_str(&text)
            .map(Some)
            .context(Kind::Config, format!("{} is no baseline", path.display()))
    }

    /// Replaces the figures of the measured cases. `all`: every case was measured, so a case that
    /// was not measured does not exist any more and goes. (For example, `--update` for the case
    /// `orders` alone keeps the figures of the case `returns`.)
    pub(super) fn with(
        mut self,
        sha256: &str,
        measured: &[(String, Figures)],
        all: bool,
    ) -> Baseline {
        if all {
            self.case.clear();
        }
        self.case.extend(measured.iter().cloned());
        Baseline { sha256: sha256.to_owned(), ..self }
    }

    /// Writes the baseline if the file says something else, and returns whether it wrote.
    pub(super) fn write(&self, path: &Path) -> Result<bool> {
        let text = self.to_toml();
        if std::fs::read_to_string(path).is_ok_and(|known| known == text) {
            return Ok(false);
        }
        std::fs::write(path, text)
            .context(Kind::Config, format!("{} cannot be written", path.display()))?;
        Ok(true)
    }

    /// Lists what costs more than the tolerance (in percent) allows, a line for each figure.
    // Both sides are multiplied instead of dividing one: that needs no rounding, and a baseline of
    // 0 divides nothing. u128 holds every product of a u64 with 100 plus a u32. (For example, with
    // a tolerance of 10, 110 against a baseline of 100 passes and 111 fails.)
    pub(super) fn compare(&self, measured: &[(String, Figures)], tolerance: u32) -> Vec<String> {
        let mut costlier = Vec::new();
        for (name, now) in measured {
            let Some(then) = self.case.get(name) else {
                costlier.push(format!("{name}: the baseline has no such case"));
                continue;
            };
            for (what, now, then) in [
                ("instructions per row", now.fuel_per_row, then.fuel_per_row),
                ("bytes of memory", now.peak_memory_bytes, then.peak_memory_bytes),
            ] {
                if u128::from(now) * 100 > u128::from(then) * (100 + u128::from(tolerance)) {
                    costlier.push(format!(
                        "{name}: {now} {what}, {} than the {then} of the baseline",
                        more(now, then)
                    ));
                }
            }
        }
        costlier
    }

    fn to_toml(&self) -> String {
        let mut text = format!(
            "# What rows of this plugin's cases cost; `loader plugin bench --update` writes \
             it.\nsha256 = \"{}\"\n",
            self.sha256
        );
        for (name, figures) in &self.case {
            // A quoted key of TOML takes the escapes that JSON writes: `a "b"` gives `"a \"b\""`.
            let name = serde_json::Value::from(name.as_str());
            let Figures { fuel_per_row, peak_memory_bytes } = figures;
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "\n[case.{name}]\nfuel_per_row = {fuel_per_row}\npeak_memory_bytes = \
                 {peak_memory_bytes}\n"
            );
        }
        text
    }
}

fn more(now: u64, then: u64) -> String {
    match then {
        0 => "more".to_owned(),
        _ => format!("{:.0} % more", (now as f64 / then as f64 - 1.0) * 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(fuel_per_row: u64, peak_memory_bytes: u64) -> Figures {
        Figures { fuel_per_row, peak_memory_bytes }
    }

    fn baseline() -> Baseline {
        let cases =
            [("a".to_owned(), figures(100, 65_536)), ("b \"c\"".to_owned(), figures(0, 65_536))];
        Baseline::default().with("00ff", &cases, true)
    }

    #[test]
    fn what_is_written_reads_back() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("bench.toml");
        assert_eq!(Baseline::read(&path).expect("nothing is there"), None);
        assert!(baseline().write(&path).expect("writes"));
        assert!(!baseline().write(&path).expect("writes"));
        assert_eq!(Baseline::read(&path).expect("reads"), Some(baseline()));
        std::fs::write(&path, "sha = 1").expect("writes");
        let refusal = Baseline::read(&path).expect_err("is no baseline").to_string();
        assert!(
            refusal.contains("bench.toml is no baseline") && refusal.contains("`sha`"),
            "{refusal}"
        );
    }

    #[test]
    fn only_what_costs_more_than_the_tolerance_fails() {
        let compare =
            |name: &str, now: Figures| baseline().compare(&[(name.to_owned(), now)], 10).join("\n");
        assert_eq!(compare("a", figures(110, 65_536)), "");
        assert_eq!(compare("a", figures(1, 1)), "");
        assert_eq!(
            compare("a", figures(111, 65_536)),
            "a: 111 instructions per row, 11 % more than the 100 of the baseline"
        );
        assert_eq!(
            compare("a", figures(1, 131_072)),
            "a: 131072 bytes of memory, 100 % more than the 65536 of the baseline"
        );
        assert_eq!(
            compare("b \"c\"", figures(1, 1)),
            "b \"c\": 1 instructions per row, more than the 0 of the baseline"
        );
        let everything =
            baseline().compare(&[("a".to_owned(), figures(u64::MAX, u64::MAX))], u32::MAX);
        assert_eq!(everything.len(), 2, "{everything:?}");
        assert_eq!(compare("d", figures(1, 1)), "d: the baseline has no such case");
    }

    #[test]
    fn an_update_of_some_cases_leaves_the_others() {
        let updated = |all| baseline().with("00aa", &[("a".to_owned(), figures(7, 7))], all);
        assert_eq!(updated(false).case.len(), 2);
        assert_eq!(updated(true).case.len(), 1);
        assert_eq!(
            (updated(true).sha256.as_str(), updated(true).case["a"]),
            ("00aa", figures(7, 7))
        );
    }
}
