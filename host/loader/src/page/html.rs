//! Text as HTML.

/// A text that is shown as it is, within an element or an attribute in quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_report_is_markup() {
        let text = "<img src=x onerror='a'> & \"b\"\u{1b}";
        let expected = "&lt;img src=x onerror=&#39;a&#39;&gt; &amp; &quot;b&quot;\u{fffd}";
        assert_eq!(escaped(text), expected);
    }
}
