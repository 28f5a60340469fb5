//! Column names that a warehouse takes without much quoting, made from the headers of a file.

use loader_names::{Columns, Reserved, called, clean, glue, refused};
use loader_sdk::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rule {
    /// Letters, marks and digits of every script stay: `Größe` becomes `größe`.
    Unicode,
    /// The Glue job's rule, a to z and digits: `Größe` becomes `gr_e`, and `年齢` is refused.
    Glue,
}

impl Rule {
    /// The name of a header by this rule.
    pub(crate) fn name(self, header: &str) -> String {
        match self {
            Rule::Unicode => clean(header),
            Rule::Glue => glue(header),
        }
    }

    /// Whether a header names nothing. A blank header does not, in either rule; a header of which
    /// the Glue job's rule alone leaves nothing is no such header, and is refused.
    fn is_nameless(header: &str) -> bool {
        clean(header).is_empty()
    }
}

/// The names of all headers, in order: none is empty, too long, twice there or `taken`. Each
/// depends on its own header and on `target` alone.
///
/// Errors: `bad-header`, with every header that cannot be a name.
pub(crate) fn of_headers(
    headers: &[&str],
    rule: Rule,
    target: Option<&Columns>,
    taken: &[Reserved<'_>],
) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = headers.iter().map(|header| rule.name(header)).collect();
    let mut nameless = (0..headers.len()).filter(|place| Rule::is_nameless(headers[*place]));
    if let (Some(place), None) = (nameless.next(), nameless.next()) {
        names[place] = nameless_column(place, target);
    }
    let facts = refused(&names, |place| called(headers[place], place), taken);
    if facts.is_empty() {
        return Ok(names);
    }
    let other_rule = match rule {
        Rule::Glue if names.iter().any(String::is_empty) => {
            "\"names\": \"unicode\" in this plugin's config keeps the letters of every script; "
        }
        Rule::Glue | Rule::Unicode => "",
    };
    let message = format!(
        "{}; {other_rule}name the columns with --column-names or by rename in [columns], or \
         correct the header in the file",
        facts.join("; ")
    );
    Err(Error::new("bad-header", message))
}

/// The name of a file's only column without one, such as the index that pandas writes: that of its
/// place. In a table that the Glue job made, the job's own name of the place is found.
fn nameless_column(place: usize, target: Option<&Columns>) -> String {
    let (ours, of_the_job) = (format!("column_{}", place + 1), format!("c{place}"));
    let has = |name: &str| target.is_some_and(|target| target.spelt_like(name).is_some());
    if !has(&ours) && has(&of_the_job) { of_the_job } else { ours }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(headers: &[&str], rule: Rule) -> Result<Vec<String>, String> {
        of_headers(headers, rule, None, &[]).map_err(|error| error.message)
    }

    #[test]
    fn a_name_does_not_depend_on_its_place_or_its_neighbours() {
        let of = |header: &str| names(&[header], Rule::Unicode).expect("is a name").remove(0);
        let headers = ["年齢", "在庫", "Größe", "Grüße", "id"];
        let alone = headers.map(of);
        assert_eq!(alone, ["年齢", "在庫", "größe", "grüße", "id"]);
        assert_eq!(names(&headers, Rule::Unicode).expect("are names"), alone);
        let mut turned = headers;
        turned.reverse();
        let mut found = names(&turned, Rule::Unicode).expect("are names");
        found.reverse();
        assert_eq!(found, alone);
    }

    #[test]
    fn a_single_nameless_column_is_called_by_its_place() {
        assert_eq!(names(&["", "a"], Rule::Unicode).expect("one"), ["column_1", "a"]);
        assert_eq!(names(&["a", " "], Rule::Glue).expect("one"), ["a", "column_2"]);
        let in_table = |columns: &[&str]| {
            let target = Columns::new(columns.iter().copied());
            of_headers(&["", "a"], Rule::Unicode, Some(&target), &[]).expect("are names").remove(0)
        };
        assert_eq!(in_table(&["c0", "a"]), "c0");
        assert_eq!(in_table(&["c1", "a"]), "column_1");
        assert_eq!(in_table(&["c0", "column_1", "a"]), "column_1");
    }

    #[test]
    fn all_headers_that_cannot_be_names_are_refused_at_once() {
        let message = |headers: &[&str], rule| names(headers, rule).expect_err("is refused");
        insta::assert_snapshot!(message(&["Unit Price", "XMin", "unit_price", "XMax", ""], Rule::Unicode), @r#"header "XMin" (column 2) has the name xmin, which Redshift keeps for its own columns; header "unit_price" (column 3) has the name unit_price, as header "Unit Price" (column 1) has; header "XMax" (column 4) has the name xmax, which Redshift keeps for its own columns; name the columns with --column-names or by rename in [columns], or correct the header in the file"#);
        insta::assert_snapshot!(message(&["", "a", "!!"], Rule::Unicode), @r#"column 1 has no name; header "!!" (column 3) has no name; name the columns with --column-names or by rename in [columns], or correct the header in the file"#);
        insta::assert_snapshot!(message(&["id", &"x".repeat(200)], Rule::Unicode), @r#"header "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" (column 2) has a name of 200 bytes, and Redshift takes 127; name the columns with --column-names or by rename in [columns], or correct the header in the file"#);
        insta::assert_snapshot!(message(&["年齢", "Größe", "Grüße", ""], Rule::Glue), @r#"header "年齢" (column 1) has no name; header "Grüße" (column 3) has the name gr_e, as header "Größe" (column 2) has; "names": "unicode" in this plugin's config keeps the letters of every script; name the columns with --column-names or by rename in [columns], or correct the header in the file"#);
    }
}
