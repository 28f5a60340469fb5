//! What a saved view may be when it comes from outside of the program: no more than what the program
//! itself writes.
//!
//! The same check is made before a view is dropped. So no view is written to the journal that would
//! be refused when it is read from there.

use loader_model::names::TableName;

use crate::saved_view::{Grant, Grantee, SavedView, ViewKind};
use crate::sql;
use crate::sql_text::{create_view, is_one_statement};

/// Privileges on a view, all of which GRANT gives back.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html>
const ON_RELATIONS: [&str; 10] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "REFERENCES",
    "TRIGGER",
    "RULE",
    "DROP",
    "ALTER",
    "TRUNCATE",
];
/// Privileges on single columns. Source: the same page.
const ON_COLUMNS: [&str; 2] = ["SELECT", "UPDATE"];

impl SavedView {
    /// Checks that bringing the view back does nothing else. The error is the reason, without a text
    /// of the view.
    // Names, comments and grantees are quoted in the statements. Two texts are not: the definition
    // and the privileges.
    pub(crate) fn check(&self) -> Result<(), String> {
        let names = [&self.name.schema, &self.name.table, &self.owner];
        if !is_name(&self.name) || names.iter().any(|name| name.is_empty()) {
            return Err("it has no valid name".to_owned());
        }
        if self.kind == ViewKind::Materialized {
            return Err("it is a materialized view".to_owned());
        }
        if !self.is_plain_create() {
            let fact = "its definition is not just the CREATE VIEW of that name, or has a comment \
                        with a quote or a semicolon";
            return Err(fact.to_owned());
        }
        match self.grants.iter().all(is_known) {
            true => Ok(()),
            false => Err("it has a privilege that the loader does not know".to_owned()),
        }
    }

    /// Whether `create` is a CREATE VIEW of the view's own name, and nothing else.
    fn is_plain_create(&self) -> bool {
        let head = format!("CREATE VIEW {}", sql::table(&self.name));
        let Some(rest) = self.create.strip_prefix(&head) else { return false };
        // Behind the name stand AS or the columns. A dot would make another name of it.
        let is_whole = rest.starts_with(|next: char| next.is_whitespace() || next == '(');
        let ends_there = |create: crate::sql_text::CreateView| create.name_at.end == head.len();
        is_whole
            && create_view(&self.create).is_some_and(ends_there)
            && is_one_statement(&self.create)
    }
}

/// Whether both parts could be names in Redshift.
fn is_name(name: &TableName) -> bool {
    TableName::new(&name.schema, &name.table).is_ok()
}

fn is_known(grant: &Grant) -> bool {
    let privilege = grant.privilege.as_str();
    let named = match &grant.grantee {
        Grantee::User(name) | Grantee::Group(name) | Grantee::Role(name) => !name.is_empty(),
        Grantee::Public => true,
    };
    named
        && match grant.columns.is_empty() {
            true => ON_RELATIONS.contains(&privilege),
            false => ON_COLUMNS.contains(&privilege),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> SavedView {
        let name = TableName { schema: "s".into(), table: "v".into() };
        let (kind, create) = SavedView::read_definition(&name, " SELECT 'a;b' AS x\n   FROM t;");
        let (owner, grants) = ("ann".to_owned(), vec![grant("SELECT", &["x"]), grant("DROP", &[])]);
        SavedView { name, kind, create, owner, grants, comment: None, column_comments: Vec::new() }
    }

    fn grant(privilege: &str, columns: &[&str]) -> Grant {
        let columns = columns.iter().map(|column| column.to_string()).collect();
        Grant { privilege: privilege.into(), columns, grantee: Grantee::Public, grantable: false }
    }

    fn changed(change: impl FnOnce(&mut SavedView)) -> String {
        let mut view = view();
        change(&mut view);
        view.check().err().unwrap_or_else(|| "passed".to_owned())
    }

    #[test]
    fn what_the_loader_writes_passes() {
        assert_eq!(changed(|_| {}), "passed");
        let with_columns = "create or replace view s.v (a, b) as select 1, 2 -- two\n with no schema \
                            binding";
        assert_eq!(
            changed(|view| {
                let (kind, create) = SavedView::read_definition(&view.name, with_columns);
                (view.kind, view.create) = (kind, create);
            }),
            "passed"
        );
    }

    #[test]
    fn what_would_do_something_else_does_not() {
        let create = |create: &str| changed(|view| view.create = create.to_owned());
        for other in [
            "DROP TABLE t",
            "CREATE TABLE \"s\".\"v\" AS SELECT 1",
            "CREATE OR REPLACE VIEW \"s\".\"v\" AS SELECT 1",
            "CREATE MATERIALIZED VIEW \"s\".\"v\" AS SELECT 1",
            "CREATE VIEW \"s\".\"w\" AS SELECT 1",
            "CREATE VIEW s.v AS SELECT 1",
            "CREATE VIEW \"s\".\"v\".\"w\" AS SELECT 1",
            "CREATE VIEW \"s\".\"v\" .w AS SELECT 1",
            "CREATE VIEW \"s\".\"v\"\"\" AS SELECT 1",
            "CREATE VIEW \"s\".\"v\"",
            "CREATE VIEW \"s\".\"v\" AS SELECT 1; DROP TABLE t",
            "CREATE VIEW \"s\".\"v\" AS SELECT '\\'; DROP TABLE t --'",
        ] {
            assert!(create(other).starts_with("its definition is not just"), "{other}");
        }
        let privilege =
            |name: &str, columns: &[&str]| changed(|view| view.grants = vec![grant(name, columns)]);
        let unknown = "it has a privilege that the loader does not know";
        assert_eq!(privilege("SELECT ON s.secret TO PUBLIC; GRANT SELECT", &[]), unknown);
        assert_eq!(privilege("INSERT", &["x"]), unknown);
        assert_eq!(privilege("select", &[]), unknown);
        assert_eq!(changed(|view| view.owner.clear()), "it has no valid name");
        assert_eq!(changed(|view| view.kind = ViewKind::Materialized), "it is a materialized view");
    }
}
