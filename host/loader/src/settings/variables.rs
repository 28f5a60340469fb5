//! Variables of the environment in texts of a settings file: `${NAME}` is the variable's value,
//! `${NAME:-text}` the text where it is not set, and `$${` the two characters `${`.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::settings::place::Key;

/// A text in which a variable cannot be read, with its place in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) keys: Vec<Key>,
    pub(super) span: Range<usize>,
    pub(super) fact: String,
}

/// Puts the values of variables into all texts of a table but its keys.
pub(super) fn expand(
    table: &mut DeTable<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(), Unreadable> {
    table.iter_mut().try_for_each(|(key, value)| {
        let key = Key::Name(key.get_ref().to_string());
        expand_value(value, variable).map_err(|unreadable| unreadable.below(key))
    })
}

fn expand_value(
    value: &mut Spanned<DeValue<'_>>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(), Unreadable> {
    let span = value.span();
    match value.get_mut() {
        DeValue::String(text) if text.contains("${") => {
            let no_keys = Vec::new();
            let expanded = expanded(text, variable);
            let expanded = expanded.map_err(|fact| Unreadable { keys: no_keys, span, fact })?;
            *text = Cow::Owned(expanded);
            Ok(())
        }
        DeValue::Array(values) => values.iter_mut().enumerate().try_for_each(|(index, value)| {
            expand_value(value, variable).map_err(|unreadable| unreadable.below(Key::Index(index)))
        }),
        DeValue::Table(table) => expand(table, variable),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => Ok(()),
    }
}

impl Unreadable {
    fn below(mut self, key: Key) -> Unreadable {
        self.keys.insert(0, key);
        self
    }
}

fn expanded(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("${") {
        let (before, behind) = (&rest[..at], &rest[at + 2..]);
        if let Some(literal) = before.strip_suffix('$') {
            out.push_str(literal);
            out.push_str("${");
            rest = behind;
            continue;
        }
        out.push_str(before);
        let end = behind.find('}').ok_or("`${` has no `}` behind it; the text `${` is `$${`")?;
        out.push_str(&value_of(&behind[..end], variable)?);
        rest = &behind[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn value_of(said: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let (name, default) = match said.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (said, None),
    };
    let is_name = |text: &str| {
        !text.starts_with(|c: char| c.is_ascii_digit())
            && !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !is_name(name) {
        return Err(format!(
            "`${{{said}}}` names no variable: a name has letters, digits and `_`; the text `${{` is \
             `$${{`"
        ));
    }
    variable(name).or(default.map(str::to_owned)).ok_or_else(|| {
        format!(
            "the variable {name} is not set; set it, or write `${{{name}:-text}}` for a text that \
             holds without it"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> Option<String> {
        (name == "STAGE").then(|| "prod".to_owned())
    }

    #[test]
    fn variables_stand_for_their_values() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let expanded = expanded(text, &variable);
            assert_eq!(expanded.as_deref().map_err(String::as_str), expected, "{text}");
        };
        check("s3-${STAGE}-in", Ok("s3-prod-in"));
        check("${STAGE}${STAGE}", Ok("prodprod"));
        check("${NONE:-dev}", Ok("dev"));
        check("${NONE:-}", Ok(""));
        check("${STAGE:-dev}", Ok("prod"));
        check("$${STAGE} $5 $", Ok("${STAGE} $5 $"));
        check("${STAGE", Err("`${` has no `}` behind it; the text `${` is `$${`"));
        let not_set = "the variable NONE is not set; set it, or write `${NONE:-text}` for a text \
                       that holds without it";
        check("${NONE}", Err(not_set));
        let no_name = "`${1}` names no variable: a name has letters, digits and `_`; the text `${` \
                       is `$${`";
        check("${1}", Err(no_name));
    }

    #[test]
    fn texts_are_expanded_wherever_they_stand_and_keys_are_not() {
        let text = "a = ['${STAGE}']\n[b.'${STAGE}']\nc = { d = '${STAGE}', n = 1 }\n";
        let mut table = DeTable::parse(text).expect("TOML").into_inner();
        expand(&mut table, &variable).expect("expands");
        let shown = format!("{table:?}");
        assert_eq!(shown.matches("prod").count(), 2, "{shown}");
        let mut table = DeTable::parse("a = 1\nb = ['${NONE}']").expect("TOML").into_inner();
        let refused = expand(&mut table, &variable).expect_err("is not set");
        assert_eq!(refused.span, 11..20);
    }
}
