//! What an IAM policy allows: a small part of AWS's rules, for finding out whether given
//! permissions are enough.
//!
//! In: a file with a policy, read anew for each question, so that it may be changed while the server
//! runs. Out: yes, or a refusal in the words of AWS. Without a file everything is allowed. Of the
//! conditions only the owner of a statement of the Data API is known; any other condition fails.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

/// The condition that a statement of the Data API belongs to the caller. The server has one caller,
/// so it always holds.
const OWN_STATEMENT: &str = "redshift-data:statement-owner-iam-userid";

/// A policy, or none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    statement: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: Effect,
    action: Texts,
    resource: Texts,
    condition: Option<Value>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Policy {
    pub(crate) fn new(file: Option<PathBuf>) -> Policy {
        Policy { file }
    }

    /// Whether an action on a resource is allowed. Errors: the sentence that says it is not.
    pub(crate) fn check(&self, action: &str, resource: &str) -> Result<(), String> {
        let Some(file) = &self.file else { return Ok(()) };
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("the policy {} cannot be read: {error}", file.display()))?;
        let document: Document = serde_json::from_str(&text)
            .map_err(|error| format!("{} is no policy: {error}", file.display()))?;
        if document.allows(action, resource) {
            return Ok(());
        }
        Err(format!(
            "User: arn:aws:iam::000000000000:user/local is not authorized to perform: {action} on \
             resource: \"{resource}\" because no identity-based policy allows the {action} action"
        ))
    }
}

impl Document {
    fn allows(&self, action: &str, resource: &str) -> bool {
        let applies = |statement: &&Statement| statement.applies(action, resource);
        let effects: Vec<Effect> =
            self.statement.iter().filter(applies).map(|statement| statement.effect).collect();
        effects.contains(&Effect::Allow) && !effects.contains(&Effect::Deny)
    }
}

impl Statement {
    fn applies(&self, action: &str, resource: &str) -> bool {
        self.action.any(action) && self.resource.any(resource) && self.condition_holds()
    }

    fn condition_holds(&self) -> bool {
        let Some(condition) = &self.condition else { return true };
        let keys = condition.as_object().into_iter().flat_map(|operators| operators.values());
        keys.flat_map(|keys| keys.as_object().into_iter().flatten())
            .all(|(key, value)| key == OWN_STATEMENT && value == "${aws:userid}")
    }
}

impl Texts {
    fn any(&self, text: &str) -> bool {
        match self {
            Texts::One(pattern) => matches(pattern, text),
            Texts::Many(patterns) => patterns.iter().any(|pattern| matches(pattern, text)),
        }
    }
}

/// Whether a text is as a pattern says, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("s3:GetObject", "s3:GetObject", true),
            ("s3:GetObject", "s3:GetObjectTagging", false),
            ("arn:aws:s3:::b/data/in/*", "arn:aws:s3:::b/data/in/x/y.csv", true),
            ("arn:aws:s3:::b/data/in/*", "arn:aws:s3:::b/data/in", false),
            ("arn:aws:s3:::b/*/x_*", "arn:aws:s3:::b/a/2026/x_1.csv", true),
            ("arn:aws:s3:::b/*/x_*", "arn:aws:s3:::b/a/2026/y_1.csv", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_policy_allows_what_it_lists_and_denies_first() {
        let document = |text: &str| serde_json::from_str::<Document>(text).expect("a policy");
        let policy = document(
            r#"{"Version": "2012-10-17", "Statement": [
                {"Sid": "A", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:*"},
                {"Effect": "Deny", "Action": "s3:*", "Resource": ["arn:no"]},
                {"Effect": "Allow", "Action": "a:Own", "Resource": "*", "Condition":
                    {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}},
                {"Effect": "Allow", "Action": "a:Other", "Resource": "*", "Condition":
                    {"StringLike": {"s3:prefix": "data/*"}}}]}"#,
        );
        assert!(policy.allows("s3:GetObject", "arn:x") && policy.allows("a:Own", "x"));
        assert!(
            !policy.allows("s3:GetObject", "arn:no") && !policy.allows("s3:PutObject", "arn:x")
        );
        assert!(!policy.allows("a:Other", "x"));
        assert!(Policy::new(None).check("anything", "anywhere").is_ok());
        let missing = Policy::new(Some("/nowhere".into())).check("a", "b").expect_err("no file");
        assert!(missing.starts_with("the policy /nowhere cannot be read: "), "{missing}");
    }
}
