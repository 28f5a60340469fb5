//! Splits a full name into first and last name, by rules that are simple enough to be predicted.
//! For example, `Ludwig van Beethoven` becomes `Ludwig` and `van Beethoven`.

use loader_sdk::{Error, Rows, Transform};
use schemars::JsonSchema;
use serde::Deserialize;

/// Where the name stands, and where its parts go.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "split_name")]
pub struct Config {
    /// Column with the full name.
    column: String,
    /// New column for the first names, middle names included.
    first: String,
    /// New column for the last name.
    last: String,
    /// Whether the column with the full name stays.
    keep: bool,
    /// Lower-case words that belong to the last name which follows.
    particles: Vec<String>,
    /// Words that belong to the last name before them.
    suffixes: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        let words = |words: &str| words.split(' ').map(str::to_owned).collect();
        Self {
            column: "name".to_owned(),
            first: "first_name".to_owned(),
            last: "last_name".to_owned(),
            keep: true,
            particles: words(
                "al bin da de del della den der di dos du el la le ten ter van von zu",
            ),
            suffixes: words("Jr Jr. Sr Sr. II III IV"),
        }
    }
}

/// The plugin; see the crate's documentation.
pub struct SplitName;

impl Transform for SplitName {
    type Config = Config;
    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("../config.schema.json"));

    fn steps(config: Config, rows: &mut Rows) -> Result<(), Error> {
        let Config { column, first, last, keep, particles, suffixes } = config;
        // Each of the two steps owns its lists, since a step may outlive this function.
        let (more_particles, more_suffixes) = (particles.clone(), suffixes.clone());
        rows.derive(&first, &column, move |name| {
            Ok(name.text().and_then(|name| split(name, &particles, &suffixes).0))
        })?;
        rows.derive(&last, &column, move |name| {
            Ok(name.text().and_then(|name| split(name, &more_particles, &more_suffixes).1))
        })?;
        if !keep {
            rows.drop(&column)?;
        }
        Ok(())
    }
}

loader_sdk::export_plugin!(SplitName);

/// First and last name. With a comma, the last name stands before it. Without one, the last word is
/// the last name, with the suffixes behind and the particles before it.
// A comma before a suffix is not that comma: `King, Jr.` is a last name with its suffix. Suffixes
// are taken before particles, from the right: of `Oscar de la Renta Jr.` first `Jr.`, then `la` and
// `de`. Both loops stop at the first word, so a name of one word is a last name, and so is `van
// Gogh`.
fn split(
    name: &str,
    particles: &[String],
    suffixes: &[String],
) -> (Option<String>, Option<String>) {
    if let Some((last, first)) = name.split_once(',')
        && !is_one_of(first.trim(), suffixes)
    {
        return (joined(&words(first)), joined(&words(last)));
    }
    let words = words(name);
    let mut start = words.len().saturating_sub(1);
    while start > 0 && is_one_of(words[start], suffixes) {
        start -= 1;
    }
    while start > 0 && is_one_of(words[start - 1], particles) {
        start -= 1;
    }
    let (first, last) = words.split_at(start);
    (joined(first), joined(last))
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn is_one_of(word: &str, words: &[String]) -> bool {
    words.iter().any(|other| other == word)
}

fn joined(words: &[&str]) -> Option<String> {
    if words.is_empty() { None } else { Some(words.join(" ")) }
}

#[cfg(test)]
mod tests {
    use loader_sdk::testing::{Sample, check_config_schema};

    use super::*;

    #[test]
    fn names_follow_the_rules() {
        let check = |name: &str, first: Option<&str>, last: Option<&str>| {
            let Config { particles, suffixes, .. } = Config::default();
            let (one, other) = split(name, &particles, &suffixes);
            assert_eq!((one.as_deref(), other.as_deref()), (first, last), "{name:?}");
        };
        check("Ada Lovelace", Some("Ada"), Some("Lovelace"));
        check("  Ada   King  Lovelace ", Some("Ada King"), Some("Lovelace"));
        check("Lovelace, Ada King", Some("Ada King"), Some("Lovelace"));
        check("Ludwig van Beethoven", Some("Ludwig"), Some("van Beethoven"));
        check("Oscar de la Renta", Some("Oscar"), Some("de la Renta"));
        check("Martin Luther King Jr.", Some("Martin Luther"), Some("King Jr."));
        check("Martin Luther King, Jr.", Some("Martin Luther"), Some("King, Jr."));
        check("Van Morrison", Some("Van"), Some("Morrison"));
        check("Plato", None, Some("Plato"));
        check("van Gogh", None, Some("van Gogh"));
        check("Lovelace,", None, Some("Lovelace"));
        check("", None, None);
        check(" ", None, None);
    }

    #[test]
    fn the_parts_stand_behind_the_other_columns() {
        let sample = Sample::new(["id", "name"]).row(["1", "Ada Lovelace"]).row([Some("2"), None]);
        let ran = sample.run::<SplitName>("").expect("runs");
        assert_eq!(
            ran.to_string(),
            "id,name,first_name,last_name\n1,Ada Lovelace,Ada,Lovelace\n2,,,\n"
        );
        let ran = sample
            .run::<SplitName>(r#"{"keep": false, "first": "given", "last": "family"}"#)
            .expect("runs");
        assert_eq!(ran.to_string(), "id,given,family\n1,Ada,Lovelace\n2,,\n");
    }

    #[test]
    fn a_column_that_is_not_there_is_named() {
        let sample = Sample::new(["name"]).row(["Ada Lovelace"]);
        let error = sample.run::<SplitName>(r#"{"column": "full_name"}"#).expect_err("is refused");
        assert_eq!(error.message, "no column \"full_name\"; there are: \"name\"");
    }

    #[test]
    fn the_schema_is_that_of_the_config() -> Result<(), Error> {
        check_config_schema::<Config>(concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json"))
    }
}
