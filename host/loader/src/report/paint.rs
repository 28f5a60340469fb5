//! Colours of words that tell good from bad: only where stdout is a terminal, and not with
//! `NO_COLOR`.

use console::Style;

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    /// Somebody should look at it some time.
    Waiting,
    /// A heading.
    Strong,
}

/// A word in the colour of what it says.
pub(crate) fn paint(word: &str, tone: Tone) -> String {
    let style = match tone {
        Tone::Good => Style::new().green(),
        Tone::Bad => Style::new().red(),
        Tone::Waiting => Style::new().yellow(),
        Tone::Strong => Style::new().bold(),
    };
    style.apply_to(word).to_string()
}
