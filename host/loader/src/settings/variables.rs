//! Variables of the environment in texts of a settings file: `${NAME}` is the variable's value,
//! `${NAME:-text}` the text where it is not set (which may itself name variables), and `$${` the
//! two characters `${`.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::settings::key::Key;

/// What texts of a settings file are read by.
pub(crate) struct Surroundings<'a> {
    /// What the environment has for a name.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
    /// The profile that is named, in place of the file's own choice.
    pub(crate) profile: Option<&'a str>,
}

/// A text in which a variable cannot be read, with its place in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) keys: Vec<Key>,
    pub(super) span: Range<usize>,
    pub(super) fact: String,
}

/// Puts the values of variables into all texts of a settings file but its keys. In a profile that
/// does not hold, what needs a variable that is not set is left out.
pub(super) fn expand(
    table: &mut DeTable<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<(), Unreadable> {
    let own = table.get("default-profile").and_then(|value| value.get_ref().as_str());
    let chosen = surroundings.profile.or(own).map(str::to_owned);
    if let Some(DeValue::Table(profiles)) = table.get_mut("profiles").map(Spanned::get_mut) {
        for (name, profile) in profiles.iter_mut() {
            let holds = chosen.as_deref() == Some(name.get_ref().as_ref());
            if let (false, DeValue::Table(profile)) = (holds, profile.get_mut()) {
                leave_out(profile, surroundings.variable);
            }
        }
    }
    expand_table(table, surroundings.variable)
}

/// Leaves out what cannot be read.
fn leave_out(table: &mut DeTable<'_>, variable: &dyn Fn(&str) -> Option<String>) {
    let unreadable: Vec<String> = table
        .iter()
        .filter(|(_, value)| expand_value(&mut (*value).clone(), variable).is_err())
        .map(|(key, _)| key.get_ref().to_string())
        .collect();
    for key in &unreadable {
        table.remove(key.as_str());
    }
}

fn expand_table(
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
        DeValue::Table(table) => expand_table(table, variable),
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
        let end = end_of(behind).ok_or("`${` has no `}` behind it; the text `${` is `$${`")?;
        out.push_str(&value_of(&behind[..end], variable)?);
        rest = &behind[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Where a variable ends that begins with `${`. One that stands in it has a `}` of its own.
fn end_of(said: &str) -> Option<usize> {
    let (mut open, mut at) = (0_usize, 0);
    loop {
        let close = at + said[at..].find('}')?;
        open += said[at..close].matches("${").count();
        at = close + 1;
        match open.checked_sub(1) {
            Some(inner) => open = inner,
            None => return Some(close),
        }
    }
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
    match (variable(name), default) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => expanded(default, variable),
        (None, None) => Err(format!(
            "the variable {name} is not set; set it, or write `${{{name}:-text}}` for a text that \
             holds without it"
        )),
    }
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
        check("${NONE:-a-${STAGE:-x}-b}c", Ok("a-prod-bc"));
        check("${NONE:-${NO_MORE:-}}", Ok(""));
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
        let surroundings = Surroundings { variable: &variable, profile: Some("prod") };
        expand(&mut table, &surroundings).expect("expands");
        let shown = format!("{table:?}");
        assert_eq!(shown.matches("prod").count(), 2, "{shown}");
        let mut table = DeTable::parse("a = 1\nb = ['${NONE}']").expect("TOML").into_inner();
        let refused = expand(&mut table, &surroundings).expect_err("is not set");
        assert_eq!(refused.span, 11..20);
        // What needs it counts only in the profile that holds.
        let profiles = "[profiles.dev]\na = '${NONE}'\nb = 1\n[profiles.prod]\na = '${STAGE}'";
        let mut table = DeTable::parse(profiles).expect("TOML").into_inner();
        expand(&mut table, &surroundings).expect("expands");
        assert!(!format!("{table:?}").contains("NONE"));
        let surroundings = Surroundings { profile: Some("dev"), ..surroundings };
        let mut table = DeTable::parse(profiles).expect("TOML").into_inner();
        expand(&mut table, &surroundings).expect_err("is not set");
    }
}
