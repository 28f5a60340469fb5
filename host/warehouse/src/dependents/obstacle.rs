//! What would keep a view from coming back as it was, found before any view is dropped.
//!
//! In: a view with what the catalog says about it, and the user that runs our statements. Out: the
//! first obstacle with its remedy.

use std::collections::BTreeSet;

use crate::dependents::acl;
use crate::dependents::details::{CatalogView, MAX_DEFINITION_BYTES};
use crate::dependents::privileges::is_internal_name;
use crate::dependents::user::CurrentUser;
use crate::saved_view::{Grant, Grantee, SavedView, VIEW_STATEMENTS, ViewKind};
use crate::sql::MAX_STATEMENT_BYTES;

/// The remedy for most obstacles.
const BY_HAND: &str = "drop it before the load and create it again afterwards";

/// The return of a view that would be dropped: the view, and what decides whether it comes back.
pub(super) struct Return<'a> {
    pub(super) view: &'a SavedView,
    pub(super) catalog: &'a CatalogView,
    pub(super) grants: &'a [Grant],
    /// The user that runs our statements.
    pub(super) user: &'a CurrentUser,
}

impl Return<'_> {
    /// The first reason why the view, once dropped, might not come back as it was.
    pub(super) fn obstacle(&self) -> Option<String> {
        self.rows_are_lost()
            .or_else(|| self.definition_is_unread())
            .or_else(|| self.user_may_not_create())
            .or_else(|| self.datashare_loses_it())
            .or_else(|| self.owner_is_lost())
            .or_else(|| self.grants_are_hidden())
            .or_else(|| self.journal_refuses_it())
            .or_else(|| self.statements_are_too_many())
            .or_else(|| self.statement_is_too_long())
    }

    fn rows_are_lost(&self) -> Option<String> {
        let name = &self.view.name;
        (self.view.kind == ViewKind::Materialized).then(|| {
            format!(
                "{name} is a materialized view, and its rows are not the loader's to drop; \
                 {BY_HAND}"
            )
        })
    }

    fn definition_is_unread(&self) -> Option<String> {
        let (name, bytes) = (&self.view.name, self.catalog.definition_bytes);
        self.catalog.definition.is_none().then(|| match bytes {
            0 => format!(
                "the definition of view {name} cannot be read by {}; {BY_HAND}",
                self.user.name
            ),
            bytes => format!(
                "the definition of view {name} has {bytes} bytes, and no more than \
                 {MAX_DEFINITION_BYTES} can be read through the Data API; {BY_HAND}"
            ),
        })
    }

    fn user_may_not_create(&self) -> Option<String> {
        let (name, user) = (&self.view.name, &self.user.name);
        (!self.catalog.may_create).then(|| {
            format!(
                "{user} may not make view {name} again; grant {user} CREATE on schema {}, or \
                 {BY_HAND}",
                name.schema
            )
        })
    }

    fn datashare_loses_it(&self) -> Option<String> {
        let grantees = acl::grantees(&self.catalog.acl);
        let share = grantees.iter().find_map(|name| name.strip_prefix("ds:"))?;
        Some(format!(
            "view {} is in the datashare {share}, which DROP takes it out of; {BY_HAND}",
            self.view.name
        ))
    }

    fn owner_is_lost(&self) -> Option<String> {
        let (owner, user) = (&self.view.owner, self.user);
        (*owner != user.name && !user.superuser).then(|| {
            format!(
                "view {} belongs to {owner}, and {} is no superuser who could give it back; run \
                 the load as a superuser or as the owner, or {BY_HAND}",
                self.view.name, user.name
            )
        })
    }

    fn grants_are_hidden(&self) -> Option<String> {
        let user = &self.user.name;
        let hidden = if self.user.superuser { Vec::new() } else { self.hidden_grantees() };
        (!hidden.is_empty()).then(|| {
            format!(
                "view {} has grants to {} that svv_relation_privileges does not show to {user}; \
                 run the load as a superuser, or grant {user} a role with ACCESS SYSTEM TABLE",
                self.view.name,
                hidden.join(", ")
            )
        })
    }

    /// The grantees that `pg_class.relacl` has and `svv_relation_privileges` does not show to our
    /// user. The loader could not give these their privileges back.
    fn hidden_grantees(&self) -> Vec<String> {
        let shown: BTreeSet<&str> =
            self.grants.iter().map(|grant| name_in_acl(&grant.grantee)).collect();
        let hidden = |name: &String| {
            *name != self.catalog.owner && !shown.contains(name.as_str()) && !is_internal_name(name)
        };
        let names = acl::grantees(&self.catalog.acl).into_iter().filter(hidden);
        names.map(|name| if name == acl::PUBLIC { "PUBLIC".to_owned() } else { name }).collect()
    }

    fn journal_refuses_it(&self) -> Option<String> {
        let name = &self.view.name;
        let reason = self.view.check().err()?;
        Some(format!("view {name} could not be brought back after a failure: {reason}; {BY_HAND}"))
    }

    fn statements_are_too_many(&self) -> Option<String> {
        // For the empty user `restore_sql` has the statement for the owner in any case. For our own
        // it may give a privilege to us and to others by two statements.
        let counts = ["", &self.user.name].map(|user| self.view.restore_sql(user).len());
        let statements = counts.into_iter().max().unwrap_or(0);
        (statements > VIEW_STATEMENTS).then(|| {
            format!(
                "bringing back view {} with its comments and grants takes {statements} \
                 statements, and a transaction has room for {VIEW_STATEMENTS}; {BY_HAND}",
                self.view.name
            )
        })
    }

    fn statement_is_too_long(&self) -> Option<String> {
        let statements = self.view.restore_sql("");
        let longest = statements.iter().map(String::len).max().unwrap_or(0);
        (longest > MAX_STATEMENT_BYTES).then(|| {
            format!(
                "bringing back view {} takes a statement of {longest} bytes, and the Data API \
                 takes {MAX_STATEMENT_BYTES}; {BY_HAND}",
                self.view.name
            )
        })
    }
}

fn name_in_acl(grantee: &Grantee) -> &str {
    match grantee {
        Grantee::User(name) | Grantee::Group(name) | Grantee::Role(name) => name,
        Grantee::Public => acl::PUBLIC,
    }
}
