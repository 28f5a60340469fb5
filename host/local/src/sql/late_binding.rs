//! Puts the queries of late-binding views in place of their names. For example, `SELECT a FROM s.v`
//! becomes `SELECT a FROM (SELECT a FROM s.t) AS v`. In: PostgreSQL text (a statement that reads,
//! and the queries of the views). Out: PostgreSQL text that names only relations that PostgreSQL
//! can read. Does not ask the database: `data_api` looks the names up.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, Statement, TableAlias, TableFactor, VisitMut, VisitorMut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::error::SqlError;
use super::relations::{Scopes, read_by, relations, visit_reads};

/// A statement that reads relations, some of which may be late-binding views.
#[derive(Debug)]
pub(crate) struct Reader(Statement);

impl Reader {
    /// `None` when sqlparser cannot read the text as one statement.
    pub(crate) fn parse(sql: &str) -> Option<Reader> {
        let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).ok()?;
        let statement = statements.pop().filter(|_| statements.is_empty())?;
        Some(Reader(statement))
    }

    /// The names of the relations that the statement reads, as PostgreSQL would write them.
    pub(crate) fn relations(&mut self) -> Vec<String> {
        read_by(&mut self.0).iter().map(ToString::to_string).collect()
    }

    /// The statement with `views` in place of their names.
    ///
    /// Errors: a view reads itself.
    pub(crate) fn inline(mut self, views: HashMap<String, View>) -> Result<String, SqlError> {
        let mut inliner =
            Inliner { views, open: Vec::new(), scopes: Scopes::default(), unqualified: Vec::new() };
        let flow = visit_reads(&mut self.0, &mut inliner);
        if let ControlFlow::Break(error) = flow {
            return Err(error);
        }
        // A second walk, because a SELECT is visited list first: `SELECT s.v.a FROM s.v` shows only
        // at its FROM that `s.v` is a view.
        let mut stripper = Stripper(inliner.unqualified);
        let _ = visit_reads(&mut self.0, &mut stripper);
        Ok(self.0.to_string())
    }
}

/// A late-binding view, by its query.
#[derive(Debug, Clone)]
pub(crate) struct View(Box<Query>);

impl View {
    /// `sql` is the query that was kept when the view was made.
    pub(crate) fn parse(sql: &str) -> Option<View> {
        match Reader::parse(sql)?.0 {
            Statement::Query(query) => Some(View(query)),
            _ => None,
        }
    }

    /// The names of the relations that the view reads.
    pub(crate) fn relations(&mut self) -> Vec<String> {
        relations(&mut self.0).iter().map(ToString::to_string).collect()
    }
}

struct Inliner {
    views: HashMap<String, View>,
    /// The views whose queries are being expanded, the outermost first. A view that is read while
    /// it stands here reads itself.
    open: Vec<String>,
    scopes: Scopes,
    /// The names of views that became derived tables without an alias of their own. A derived table
    /// has no schema, so `s.v.a` has to become `v.a` (see [`Stripper`]).
    unqualified: Vec<ObjectName>,
}

impl VisitorMut for Inliner {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        self.scopes.enter(query);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<SqlError> {
        self.scopes.leave();
        ControlFlow::Continue(())
    }

    // After the visit, not before it: the visitor would otherwise walk on into the query that has
    // just been put in place, where the names of the outer WITHs must not count.
    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<SqlError> {
        let Some(name) = self.scopes.relation(factor).cloned() else {
            return ControlFlow::Continue(());
        };
        let Some(view) = self.views.get(&name.to_string()).cloned() else {
            return ControlFlow::Continue(());
        };
        let query = self.expand(name.to_string(), view)?;
        let TableFactor::Table { alias, .. } = factor else { return ControlFlow::Continue(()) };
        let alias = alias.take().unwrap_or_else(|| {
            self.unqualified.push(name.clone());
            own_name(&name)
        });
        *factor = TableFactor::Derived {
            lateral: false,
            subquery: query,
            alias: Some(alias),
            sample: None,
        };
        ControlFlow::Continue(())
    }
}

impl Inliner {
    /// The query of the view `name`, in which the views that it reads are put in place too.
    fn expand(&mut self, name: String, mut view: View) -> ControlFlow<SqlError, Box<Query>> {
        if self.open.contains(&name) {
            let message = format!("infinite recursion detected in rules for relation \"{name}\"");
            return ControlFlow::Break(SqlError::new(message));
        }
        self.open.push(name);
        // A WITH around the place where the view is read hides no name inside the view. (In
        // `WITH t AS (…) SELECT * FROM v`, the `t` that `v` reads is the table.) An error ends the
        // whole walk, so the `?` need not restore anything.
        let scopes = std::mem::take(&mut self.scopes);
        view.0.visit(self)?;
        self.scopes = scopes;
        self.open.pop();
        ControlFlow::Continue(view.0)
    }
}

/// The alias of a view that the statement reads under the view's own name.
fn own_name(relation: &ObjectName) -> TableAlias {
    let name = relation
        .0
        .last()
        .and_then(ObjectNamePart::as_ident)
        .cloned()
        .unwrap_or_else(|| Ident::new("view"));
    TableAlias { explicit: true, name, columns: Vec::new(), at: None }
}

/// Takes the schema from columns (`s.v.c`, `s.v.*`) of the views that became derived tables.
struct Stripper(Vec<ObjectName>);

impl Stripper {
    fn is_stripped(&self, schema: &Ident, table: &Ident) -> bool {
        let same = |a: &Ident, b: &Ident| a.value.eq_ignore_ascii_case(&b.value);
        self.0.iter().any(|name| match name.0.as_slice() {
            [ObjectNamePart::Identifier(of), ObjectNamePart::Identifier(name)] => {
                same(of, schema) && same(name, table)
            }
            _ => false,
        })
    }
}

impl VisitorMut for Stripper {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::QualifiedWildcard(
                SelectItemQualifiedWildcardKind::ObjectName(name),
                _,
            ) = item
                && let [ObjectNamePart::Identifier(schema), ObjectNamePart::Identifier(table)] =
                    name.0.as_slice()
                && self.is_stripped(schema, table)
            {
                name.0.remove(0);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expression
            && let [schema, table, _] = parts.as_slice()
            && self.is_stripped(schema, table)
        {
            parts.remove(0);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inlined(sql: &str) -> String {
        let views = [
            ("s.v", "SELECT a FROM s.t"),
            ("s.w", "SELECT s.v.a AS b FROM s.v"),
            ("s.loop", "SELECT * FROM s.again"),
            ("s.again", "SELECT * FROM s.loop"),
        ];
        let views = views.map(|(name, query)| (name.to_owned(), View::parse(query).unwrap()));
        Reader::parse(sql)
            .unwrap()
            .inline(HashMap::from(views))
            .unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn queries_take_the_place_of_names() {
        for (sql, expected) in [
            ("SELECT * FROM s.v", "SELECT * FROM (SELECT a FROM s.t) AS v"),
            ("SELECT x.a FROM s.v x", "SELECT x.a FROM (SELECT a FROM s.t) x"),
            (
                "SELECT s.v.a, s.v.* FROM s.v JOIN s.t ON s.t.a = s.v.a",
                "SELECT v.a, v.* FROM (SELECT a FROM s.t) AS v JOIN s.t ON s.t.a = v.a",
            ),
            (
                "SELECT * FROM s.w",
                "SELECT * FROM (SELECT v.a AS b FROM (SELECT a FROM s.t) AS v) AS w",
            ),
            (
                "INSERT INTO s.v SELECT * FROM s.v AS x",
                "INSERT INTO s.v SELECT * FROM (SELECT a FROM s.t) AS x",
            ),
            (
                "CREATE TABLE c AS SELECT 1 FROM t WHERE a IN (SELECT a FROM s.v)",
                "CREATE TABLE c AS SELECT 1 FROM t WHERE a IN (SELECT a FROM (SELECT a FROM s.t) \
                 AS v)",
            ),
            (
                "DELETE FROM s.t USING s.v WHERE s.t.a = s.v.a",
                "DELETE FROM s.t USING (SELECT a FROM s.t) AS v WHERE s.t.a = v.a",
            ),
            (
                "UPDATE s.v SET a = 1 FROM s.v AS x",
                "UPDATE s.v SET a = 1 FROM (SELECT a FROM s.t) AS x",
            ),
            ("WITH v AS (SELECT 1) SELECT * FROM v", "WITH v AS (SELECT 1) SELECT * FROM v"),
            (
                "SELECT * FROM s.loop",
                "ERROR: infinite recursion detected in rules for relation \"s.loop\"",
            ),
        ] {
            assert_eq!(inlined(sql), expected, "{sql}");
        }
    }

    #[test]
    fn names_are_those_that_are_read() {
        let mut reader = Reader::parse(
            "INSERT INTO s.a WITH c AS (SELECT * FROM s.b) SELECT * FROM c, s.d, \
             generate_series(1, 2) WHERE x = (SELECT max(y) FROM \"E\")",
        );
        assert_eq!(reader.as_mut().unwrap().relations(), ["s.b", "s.d", "\"E\""]);
        assert!(Reader::parse("CALL f(1)").is_none_or(|mut reader| reader.relations().is_empty()));
    }
}
