//! `tests/misdeeds.txt`: what is expected of each misdeed, one line for each.
//!
//! A line has the word, the exit code of `loader transform` and what the sandbox says, for example
//! `no-columns (exit 2) → Protocol: plugin hostile 0.1.0 (sha256 …): make-plan: …`.

use std::fmt::Write;

use libtest_mimic::Failed;

/// The lines of the file, in its order, which is the plugin's.
pub(crate) struct Outcomes(Vec<Outcome>);

struct Outcome {
    word: String,
    exit_code: i32,
    fate: String,
}

impl Outcomes {
    /// Panics at a line that is not an outcome: the file is written by this test.
    pub(crate) fn parse(text: &str) -> Outcomes {
        let outcome = |line: &str| {
            let (word, rest) = line.split_once(" (exit ")?;
            let (exit_code, fate) = rest.split_once(") → ")?;
            let exit_code = exit_code.parse().ok()?;
            Some(Outcome { word: word.to_owned(), exit_code, fate: fate.to_owned() })
        };
        let read = |line| outcome(line).unwrap_or_else(|| panic!("not an outcome: {line}"));
        Outcomes(text.lines().map(read).collect())
    }

    /// The file's text.
    pub(crate) fn render(outcomes: impl Iterator<Item = (String, i32, String)>) -> String {
        let mut text = String::new();
        for (word, exit_code, fate) in outcomes {
            writeln!(text, "{word} (exit {exit_code}) → {fate}").expect("a string takes all");
        }
        text
    }

    pub(crate) fn words(&self) -> Vec<String> {
        self.0.iter().map(|outcome| outcome.word.clone()).collect()
    }

    /// How many misdeeds the sandbox does not let pass.
    pub(crate) fn refused(&self) -> usize {
        self.0.iter().filter(|outcome| !outcome.fate.starts_with("harmless: ")).count()
    }

    pub(crate) fn compare_fate(&self, word: &str, found: &str) -> Result<(), Failed> {
        same(&self.of(word)?.fate, found)
    }

    pub(crate) fn compare_code(&self, word: &str, found: i32) -> Result<(), Failed> {
        same(&self.of(word)?.exit_code.to_string(), &found.to_string())
    }

    fn of(&self, word: &str) -> Result<&Outcome, Failed> {
        let outcome = self.0.iter().find(|outcome| outcome.word == word);
        outcome.ok_or_else(|| format!("tests/misdeeds.txt has no line for {word}").into())
    }
}

fn same(expected: &str, found: &str) -> Result<(), Failed> {
    if expected == found {
        return Ok(());
    }
    Err(format!("- {expected}\n+ {found}").into())
}

/// The digest changes with the tools that build the guest.
pub(crate) fn without_digest(text: &str) -> String {
    match text.split_once("(sha256 ") {
        Some((before, after)) => format!("{before}(sha256 …{}", &after[8..]),
        None => text.to_owned(),
    }
}

/// Which functions a trap shows depends on what the guest's compiler made of them; that there are
/// some does not.
pub(crate) fn without_frames(text: &str) -> String {
    match text
        .split_once(" (in ")
        .and_then(|(before, after)| Some((before, after.split_once(')')?)))
    {
        Some((before, (_, after))) => format!("{before} (in …){after}"),
        None => text.to_owned(),
    }
}

/// Long repetitions in the middle are left out.
pub(crate) fn cut(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    match chars.len() > 900 {
        true => format!(
            "{} [{} more] {}",
            chars[..120].iter().collect::<String>(),
            chars.len() - 320,
            chars[chars.len() - 200..].iter().collect::<String>()
        ),
        false => text.to_owned(),
    }
}
