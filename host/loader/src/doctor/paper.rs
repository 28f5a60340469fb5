//! The findings for people, on 80 columns: what was asked, what was seen, and below a failure what
//! helps.

use console::Style;

use super::Examination;
use super::finding::{Finding, Outcome};
use crate::cli::Part;

/// Columns of a terminal that every program can count on.
const COLUMNS: usize = 80;
/// Columns before the text of a finding: two spaces, the outcome, two spaces.
const INDENT: usize = 11;

/// The heading of a part.
pub fn heading(part: Part) -> String {
    let text = match part {
        Part::Bucket => "Bucket",
        Part::Warehouse => "Warehouse",
        Part::Rights => "Rights of the database user",
        Part::Loads => "Loads",
        Part::Refusals => "How the warehouse refuses",
        Part::Answers => "What no public source says",
        Part::CleanUp => "Clean-up",
    };
    format!("\n{text}\n")
}

/// A finding, with its last line end. `style`: whether the outcome is coloured.
pub fn finding(finding: &Finding, style: bool) -> String {
    let mut text = format!("{}: {}", finding.probe, finding.seen);
    if let Some(expected) = &finding.expected {
        text.push_str(&format!("; expected {expected}"));
    }
    let word = format!("{:7}", finding.outcome.word());
    let word = if style { colour(finding.outcome).apply_to(word).to_string() } else { word };
    let mut out = format!("  {word}  {}\n", wrapped(words(&text).flat_map(cut)));
    if let Some(remedy) = &finding.remedy {
        out.push_str(&format!("{:8}-> {}\n", "", wrapped(words(remedy))));
    }
    out
}

/// The last line.
pub fn summary(examination: &Examination) -> String {
    if let Some(error) = &examination.error {
        return format!("failed: {error}\n");
    }
    let count = |outcome| examination.count(outcome);
    format!(
        "\n{} passed, {} failed, {} skipped, {} told, in {:.0} s\n",
        count(Outcome::Passed),
        count(Outcome::Failed),
        count(Outcome::Skipped),
        count(Outcome::Told),
        examination.seconds
    )
}

fn colour(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Passed => Style::new().green(),
        Outcome::Failed => Style::new().red().bold(),
        Outcome::Skipped => Style::new().dim(),
        Outcome::Told => Style::new().cyan(),
    }
}

/// The words of a text. Other programs' texts may hold anything, so controls are shown and not sent
/// to the terminal.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(shown)
}

/// A word in pieces that fit a line. Only the words of a remedy stay whole, so that they can be
/// copied.
fn cut(word: String) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    letters.chunks(COLUMNS - INDENT).map(|piece| piece.iter().collect()).collect()
}

/// Words on as many lines as they need, each line behind the indent.
fn wrapped(words: impl Iterator<Item = String>) -> String {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in words {
        let width = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && width > COLUMNS - INDENT {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines.join(&format!("\n{:INDENT$}", ""))
}

fn shown(word: &str) -> String {
    word.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

#[cfg(test)]
mod tests {
    use loader_model::error::Kind;

    use super::*;
    use crate::doctor::finding::{Ailment, Verdict};

    fn of(probed: Result<Verdict, Ailment>) -> Finding {
        Finding::new(Part::Bucket, "data/in/", probed, 0.1)
    }

    #[test]
    fn findings_stand_below_each_other_on_80_columns() {
        let failed = Ailment::new(
            Kind::Config,
            "writing s3://b/data/in/x failed: AccessDenied: \x1b[2J; the credentials in use lack this",
            "allow s3:PutObject on arn:aws:s3:::b/data/in/* (docs/permissions.md), and run it again",
        );
        let told = Verdict::told("SELECT 1 gives 2 rows").instead_of("1 row", "https://x");
        let all = [Ok(Verdict::passed("is well")), Err(failed), Ok(told)];
        let text: String = all.map(|probed| finding(&of(probed), false)).concat();
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        insta::assert_snapshot!(text, @r"
        passed   data/in/: is well
        failed   data/in/: writing s3://b/data/in/x failed: AccessDenied: \u{1b}[2J;
                 the credentials in use lack this
              -> allow s3:PutObject on arn:aws:s3:::b/data/in/* (docs/permissions.md),
                 and run it again
        told     data/in/: SELECT 1 gives 2 rows; expected 1 row
        ");
    }

    #[test]
    fn colours_are_for_terminals_alone() {
        console::set_colors_enabled(true);
        let text = finding(&of(Ok(Verdict::passed("is well"))), true);
        assert_eq!(text, "  \u{1b}[32mpassed \u{1b}[0m  data/in/: is well\n");
    }
}
