//! The examination as a file for the project: every answer, and nothing that tells whose it is.
//!
//! In: an [`Examination`] and the names that the user's settings have. Out: JSON in which each of
//! these names is replaced by a word for it, and so are ARNs, account ids, keys and addresses of
//! AWS, wherever a message has them.

use serde_json::Value;

use super::Examination;
use crate::job::checkup::Checkup;
use loader_aws::data_api::Compute;

/// A name and the word that stands for it.
pub struct Masks(Vec<(String, &'static str)>);

impl Masks {
    /// The names of the settings. The user of the connection is added once it is known.
    pub fn of(checkup: &Checkup) -> Masks {
        let database = &checkup.warehouse.database;
        let (compute, db_user) = match &database.compute {
            Compute::Workgroup(name) => (name, None),
            Compute::Cluster { identifier, db_user } => (identifier, db_user.as_ref()),
        };
        let mut masks = Masks(Vec::new());
        masks.add(&checkup.bucket, "<bucket>");
        masks.add(compute, "<warehouse>");
        masks.add(&database.name, "<database>");
        masks.add(&checkup.schema, "<schema>");
        if let Some(target) = &checkup.target {
            masks.add(&loader_warehouse::bookkeeping::fence(target).table, "<fence>");
            masks.add(&target.table, "<table>");
        }
        db_user.into_iter().for_each(|user| masks.add(user, "<user>"));
        if let Some(dir) = &checkup.warehouse.access.local {
            masks.add(&dir.display().to_string(), "<dir>");
        }
        masks
    }

    /// Adds a name. A name that stands in another one comes after it.
    pub fn add(&mut self, name: &str, word: &'static str) {
        // What every warehouse has tells nothing.
        if !name.is_empty() && !["public", "dev", "local", "default"].contains(&name) {
            self.0.push((name.to_owned(), word));
            self.0.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        }
    }

    fn applied(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, word) in &self.0 {
            text = replaced(&text, name, word);
        }
        let words = text.split_inclusive(is_between).map(masked);
        words.collect()
    }
}

/// The file's text.
pub fn render(examination: &Examination, masks: &Masks) -> String {
    let mut value = serde_json::to_value(examination).unwrap_or(Value::Null);
    mask(&mut value, masks);
    format!("{value:#}\n")
}

fn mask(value: &mut Value, masks: &Masks) {
    match value {
        Value::String(text) => *text = masks.applied(text),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, masks)),
        Value::Object(members) => members.values_mut().for_each(|item| mask(item, masks)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Replaces a name where it stands alone: `sales` in `sales.t`, and not in `wholesales`.
fn replaced(text: &str, name: &str, word: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(name) {
        let (before, from) = rest.split_at(at);
        let after = &from[name.len()..];
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let stands_alone = !is_part(before.chars().next_back().or(out.chars().next_back()))
            && !is_part(after.chars().next());
        out.push_str(before);
        out.push_str(if stands_alone { word } else { name });
        rest = after;
    }
    out + rest
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || "\"'(),;".contains(c)
}

/// A word with what stands behind it, without what would tell whose account it is.
fn masked(piece: &str) -> String {
    let word = piece.trim_end_matches(is_between);
    let end = &piece[word.len()..];
    let mask = match () {
        () if word.contains("arn:") => "<arn>",
        () if word.contains("amazonaws") => "<address>",
        () if is_access_key(word) => "<key>",
        () if has_account(word) => "<account>",
        () => word,
    };
    format!("{mask}{end}")
}

/// `AKIA…` and `ASIA…` begin the ids of access keys.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
fn is_access_key(word: &str) -> bool {
    word.len() >= 16 && ["AKIA", "ASIA", "AROA", "AIDA"].iter().any(|start| word.contains(start))
}

/// Twelve digits in a row, no more and no less.
fn has_account(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() == 12)
        && !word.chars().any(|c| c == '.' || c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks() -> Masks {
        let mut masks = Masks(Vec::new());
        for (name, word) in
            [("sales", "<schema>"), ("my-bucket", "<bucket>"), ("sales-wg", "<warehouse>")]
        {
            masks.add(name, word);
        }
        masks
    }

    #[test]
    fn names_are_replaced_where_they_stand_alone() {
        let check = |text: &str, expected: &str| assert_eq!(masks().applied(text), expected);
        check("s3://my-bucket/data/in/x", "s3://<bucket>/data/in/x");
        check("wholesales \"sales\".t in sales-wg", "wholesales \"<schema>\".t in <warehouse>");
        check("sales sales_2", "<schema> sales_2");
    }

    #[test]
    fn what_tells_an_account_is_replaced_in_any_message() {
        let check = |text: &str, expected: &str| assert_eq!(masks().applied(text), expected);
        check(
            "User: arn:aws:sts::111122223333:assumed-role/etl/x is not authorized",
            "User: <arn> is not authorized",
        );
        check("account 111122223333, key AKIAIOSFODNN7EXAMPLE.", "account <account>, key <key>");
        check("wg.111122223333.eu-west-1.redshift-serverless.amazonaws.com:5439", "<address>");
        check("DECIMAL -123456789012.345678 stays", "DECIMAL -123456789012.345678 stays");
    }
}
