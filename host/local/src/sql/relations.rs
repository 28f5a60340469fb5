//! The tables and views that a statement reads. In: a syntax tree. Out: their names in order,
//! without the names that a WITH makes and without the target of an INSERT, UPDATE, DELETE or
//! MERGE. (Of `INSERT INTO a SELECT * FROM b` only `b` is read.)

use std::ops::ControlFlow;

use sqlparser::ast::{
    ObjectName, Query, Statement, TableFactor, UpdateTableFromKind, VisitMut, VisitorMut,
};

/// The names that a WITH hides at the place that is being visited. (In `WITH t AS (…) SELECT * FROM
/// t` the name `t` is no table.)
#[derive(Debug, Default)]
pub(super) struct Scopes(Vec<Vec<String>>);

impl Scopes {
    pub(super) fn enter(&mut self, query: &Query) {
        // Simplified: a name hides the relation in its own definition too. In
        // `WITH t AS (SELECT a FROM t)`, SQL still means the relation.
        let names = query
            .with
            .iter()
            .flat_map(|with| &with.cte_tables)
            .map(|cte| cte.alias.name.value.to_ascii_lowercase());
        self.0.push(names.collect());
    }

    pub(super) fn leave(&mut self) {
        self.0.pop();
    }

    /// The relation that `factor` names; `None` for a subquery, a function or the name of a WITH.
    pub(super) fn relation<'a>(&self, factor: &'a TableFactor) -> Option<&'a ObjectName> {
        let TableFactor::Table { name, args: None, .. } = factor else { return None };
        let is_hidden = match name.0.as_slice() {
            // A WITH makes bare names, so a name with a schema is never hidden.
            [part] => part.as_ident().is_some_and(|bare| {
                let bare = bare.value.to_ascii_lowercase();
                self.0.iter().flatten().any(|hidden| *hidden == bare)
            }),
            _ => false,
        };
        (!is_hidden).then_some(name)
    }
}

/// The relations that `node` reads, each once.
pub(super) fn relations<T: VisitMut>(node: &mut T) -> Vec<ObjectName> {
    let mut collector = Collector::default();
    let _ = node.visit(&mut collector);
    collector.found
}

/// The relations that a statement reads, each once, without the relation that it writes.
pub(super) fn read_by(statement: &mut Statement) -> Vec<ObjectName> {
    let mut collector = Collector::default();
    let _ = visit_reads(statement, &mut collector);
    collector.found
}

/// Visits the parts of a statement that read relations. Of an UPDATE, for example, these are FROM,
/// the assigned values and WHERE, but not the target. Other statements are not visited.
// INSERT and CREATE TABLE can be visited as a whole: their targets are bare names and no
// TableFactors, so a visitor of TableFactors does not meet them. The targets of UPDATE and DELETE
// are TableFactors, so these two are visited by parts.
pub(super) fn visit_reads<V: VisitorMut>(
    statement: &mut Statement,
    visitor: &mut V,
) -> ControlFlow<V::Break> {
    match statement {
        Statement::Query(_) | Statement::Insert(_) | Statement::CreateTable(_) => {
            statement.visit(visitor)
        }
        Statement::Explain { statement, .. } => visit_reads(statement, visitor),
        Statement::Update(update) => {
            if let Some(
                UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from),
            ) = &mut update.from
            {
                from.visit(visitor)?;
            }
            update.assignments.visit(visitor)?;
            update.selection.visit(visitor)
        }
        Statement::Delete(delete) => {
            delete.using.visit(visitor)?;
            delete.selection.visit(visitor)
        }
        _ => ControlFlow::Continue(()),
    }
}

#[derive(Debug, Default)]
struct Collector {
    scopes: Scopes,
    found: Vec<ObjectName>,
}

impl VisitorMut for Collector {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.scopes.enter(query);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.scopes.leave();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let Some(name) = self.scopes.relation(factor)
            && !self.found.contains(name)
        {
            self.found.push(name.clone());
        }
        ControlFlow::Continue(())
    }
}
