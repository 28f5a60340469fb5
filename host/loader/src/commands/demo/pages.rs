//! Text as pages that fit a terminal, turned by a key.

use std::io::IsTerminal;

use console::{Key, Term};
use loader_model::error::{Context, Kind, Result};

use crate::commands::print;
use crate::tools::blocking;

/// A page for readers of no known size: the terminal that every program can count on.
const SMALLEST: Size = Size { lines: 24, columns: 80 };

#[derive(Clone, Copy)]
struct Size {
    lines: usize,
    columns: usize,
}

/// Shows pages. On a terminal each waits for a key; elsewhere all follow each other.
pub(super) struct Book {
    terminal: Option<Term>,
    size: Size,
}

/// What the reader wants after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Next,
    Quit,
}

impl Book {
    /// `pause`: whether pages wait for a key where there is a terminal to press one.
    pub(super) fn open(pause: bool) -> Book {
        let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let terminal = (pause && is_terminal).then(Term::stdout);
        let size = terminal.as_ref().and_then(Term::size_checked).map_or(SMALLEST, |size| Size {
            lines: usize::from(size.0).max(SMALLEST.lines),
            columns: usize::from(size.1).max(SMALLEST.columns),
        });
        Book { terminal, size }
    }

    /// Shows blocks of text under a title, on as many pages as they need.
    pub(super) async fn show(&mut self, title: &str, blocks: &[String]) -> Result<Turn> {
        // The last line of the screen asks for a key.
        let height = self.size.lines - 1;
        for page in pages(title, blocks, Size { lines: height, ..self.size }) {
            print(&page);
            if self.turn().await? == Turn::Quit {
                return Ok(Turn::Quit);
            }
        }
        Ok(Turn::Next)
    }

    async fn turn(&mut self) -> Result<Turn> {
        let Some(terminal) = self.terminal.clone() else {
            print("\n");
            return Ok(Turn::Next);
        };
        print("[any key] next page   [a] all the rest   [q] quit ");
        let read = {
            let terminal = terminal.clone();
            // Reading a key blocks the thread, and the signals of Ctrl-C are served by this one.
            blocking(move || {
                terminal.read_key().context(Kind::Internal, "the terminal gives no keys")
            })
        };
        let key = read.await?;
        terminal.clear_line().context(Kind::Internal, "the terminal takes no text")?;
        match key {
            Key::Char('q' | 'Q') | Key::Escape => return Ok(Turn::Quit),
            Key::Char('a' | 'A') => self.terminal = None,
            _ => {}
        }
        print("\n");
        Ok(Turn::Next)
    }
}

/// Fills pages with blocks. A block stays whole when a page has room for it; a taller one goes on
/// over the page's end, under the same title.
fn pages(title: &str, blocks: &[String], size: Size) -> Vec<String> {
    let heading = |title: &str| wrapped(&format!("== {title}"), size.columns);
    let mut pages = vec![heading(title)];
    for block in blocks {
        let lines: Vec<String> =
            block.lines().flat_map(|line| wrapped(line, size.columns)).collect();
        let top = heading(&format!("{title} (continued)"));
        let fits_a_page = top.len() + 1 + lines.len() <= size.lines;
        let mut page = pages.pop().unwrap_or_default();
        if page.len() + 1 + lines.len() > size.lines && fits_a_page {
            pages.push(std::mem::replace(&mut page, top.clone()));
        }
        page.push(String::new());
        for line in lines {
            if page.len() == size.lines {
                pages.push(std::mem::replace(&mut page, top.clone()));
                page.push(String::new());
            }
            page.push(line);
        }
        pages.push(page);
    }
    pages.iter().map(|page| page.join("\n") + "\n").collect()
}

/// A line as lines of at most `columns`, cut at spaces. What follows is indented to the text behind
/// a label, as in `    result  failed: …`; or by two columns more than an indented line; or not.
fn wrapped(line: &str, columns: usize) -> Vec<String> {
    let (mut lines, mut rest) = (Vec::new(), line.to_owned());
    let indent = " ".repeat(hanging_indent(line));
    while console::measure_text_width(&rest) > columns {
        let is_inside = |at: &(usize, char)| {
            at.1 == ' '
                && at.0 > indent.len()
                && console::measure_text_width(&rest[..at.0]) <= columns
        };
        let Some((space, _)) = rest.char_indices().rfind(is_inside) else { break };
        let next = format!("{indent}{}", rest[space..].trim_start());
        lines.push(rest[..space].trim_end().to_owned());
        rest = next;
    }
    lines.push(rest);
    lines
}

fn hanging_indent(line: &str) -> usize {
    let start = line.len() - line.trim_start().len();
    let label = line[start..].find("  ").map(|end| start + end);
    let unlabelled = if start == 0 { 0 } else { start + 2 };
    label.map_or(unlabelled, |end| end + (line[end..].len() - line[end..].trim_start().len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Size = Size { lines: 6, columns: 20 };

    fn block(lines: usize) -> String {
        (1..=lines).map(|number| format!("line {number}\n")).collect()
    }

    #[test]
    fn a_block_that_has_no_room_left_starts_a_page() {
        let pages = pages("Title", &[block(2), block(3)], SMALL);
        assert_eq!(
            pages,
            ["== Title\n\nline 1\nline 2\n", "== Title (continued)\n\nline 1\nline 2\nline 3\n"]
        );
    }

    #[test]
    fn a_block_taller_than_a_page_goes_on_over_its_end() {
        let pages = pages("Title", &[block(6)], SMALL);
        assert_eq!(
            pages,
            [
                "== Title\n\nline 1\nline 2\nline 3\nline 4\n",
                "== Title (continued)\n\nline 5\nline 6\n"
            ]
        );
    }

    #[test]
    fn long_lines_are_cut_at_spaces_and_aligned_behind_their_label() {
        assert_eq!(
            wrapped("  rows  4 read = 4 staged", 16),
            ["  rows  4 read =", "        4 staged"]
        );
        assert_eq!(wrapped("  DROP VIEW sums", 12), ["  DROP VIEW", "    sums"]);
        assert_eq!(wrapped("the last row wins", 12), ["the last row", "wins"]);
        assert_eq!(wrapped("12345678901234567890", 5), ["12345678901234567890"]);
    }
}
