//! The placeholders of a view's definition, as Python's `format` reads them: `{name}`, and `{{` or
//! `}}` for a brace. (For example, with the view `v_orders` the text `{view_name} {{}}` becomes
//! `v_orders {}`.)
//!
//! Values go in as they are, without quotes, so only plain identifiers are allowed.

use crate::sql_text::is_word;

/// What the placeholders stand for.
pub(super) struct Values<'a> {
    pub(super) schema_name: &'a str,
    pub(super) view_name: &'a str,
    pub(super) source_table: &'a str,
}

impl Values<'_> {
    /// The definition with its placeholders filled in; `Err` says what is wrong with it.
    // Doubled braces are tried before a placeholder, as in Python, so that `{{{view_name}}}` is a
    // value in braces. A `}` that closes no placeholder and is not doubled is an error, and so is a
    // `{` without an end.
    pub(super) fn expand(&self, definition: &str) -> Result<String, String> {
        let mut out = String::with_capacity(definition.len());
        let mut rest = definition;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let place = definition.len() - from.len();
            rest = if let Some(rest) = from.strip_prefix("{{") {
                out.push('{');
                rest
            } else if let Some(rest) = from.strip_prefix("}}") {
                out.push('}');
                rest
            } else if let Some((name, rest)) =
                from.strip_prefix('{').and_then(|inside| inside.split_once('}'))
            {
                out.push_str(self.value(name)?);
                rest
            } else {
                return Err(unbalanced(definition, place));
            };
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&self, name: &str) -> Result<&str, String> {
        let value = match name {
            "schema_name" => self.schema_name,
            "view_name" => self.view_name,
            "source_table" => self.source_table,
            unknown => {
                return Err(format!(
                    "definition has the unknown placeholder {{{unknown}}}; there are \
                     {{schema_name}}, {{view_name}} and {{source_table}}, and {{{{ and }}}} stand \
                     for braces"
                ));
            }
        };
        if is_plain(value) {
            return Ok(value);
        }
        Err(format!(
            "{name} is `{value}`, and {{{name}}} puts in plain names only (letters, digits, _, $; \
             no digit first); write the quoted name into the definition instead"
        ))
    }
}

/// Whether a name needs no quotes, so that it means the same in a statement as in the file.
fn is_plain(name: &str) -> bool {
    name.chars().all(is_word)
        && name.starts_with(|letter: char| letter == '_' || letter.is_alphabetic())
}

fn unbalanced(definition: &str, at: usize) -> String {
    let (brace, place) = (&definition[at..at + 1], definition[..at].chars().count() + 1);
    format!(
        "definition has a lone `{brace}` at character {place}; write `{brace}{brace}` for a brace \
         that is meant as one"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(definition: &str) -> String {
        named("v_$1", definition)
    }

    fn named(view_name: &str, definition: &str) -> String {
        let values = Values { schema_name: "s", view_name, source_table: "a b" };
        values.expand(definition).unwrap_or_else(|fault| fault)
    }

    #[test]
    fn placeholders_and_braces_are_pythons() {
        assert_eq!(
            check("{schema_name}.{view_name} {{x}} {{{view_name}}} ä"),
            "s.v_$1 {x} {v_$1} ä"
        );
        assert_eq!(check(""), "");
    }

    #[test]
    fn what_python_refuses_is_refused() {
        insta::assert_snapshot!(check("{}"), @"definition has the unknown placeholder {}; there are {schema_name}, {view_name} and {source_table}, and {{ and }} stand for braces");
        insta::assert_snapshot!(check("{0}"), @"definition has the unknown placeholder {0}; there are {schema_name}, {view_name} and {source_table}, and {{ and }} stand for braces");
        insta::assert_snapshot!(check("ä}"), @"definition has a lone `}` at character 2; write `}}` for a brace that is meant as one");
        insta::assert_snapshot!(check("{view_name"), @"definition has a lone `{` at character 1; write `{{` for a brace that is meant as one");
        insta::assert_snapshot!(check("{source_table}"), @"source_table is `a b`, and {source_table} puts in plain names only (letters, digits, _, $; no digit first); write the quoted name into the definition instead");
    }

    #[test]
    fn a_plain_name_has_letters_digits_and_underscores_and_begins_with_no_digit() {
        for name in ["v1", "_v", "ä"] {
            assert_eq!(named(name, "{view_name}"), name);
        }
        for name in ["1v", "$v", "", "a-b", "a\"b"] {
            let fault = named(name, "{view_name}");
            assert!(fault.starts_with(&format!("view_name is `{name}`, ")), "{fault}");
        }
    }
}
