//! GRANT, REVOKE and ALTER DEFAULT PRIVILEGES by Redshift's grammar. In: the statement's tokens.
//! Out: PostgreSQL text, in which the option to grant stands behind a list of grantees and so
//! splits it in two, and a call that records what PostgreSQL has not.
//!
//! DROP and ALTER on tables are recorded and shown (`data_api/helpers/grants.sql`) and give no
//! right: only an owner drops and alters. RULE is read and forgotten, as in PostgreSQL. Not done:
//! DROP and ALTER on schemas, databases and by default; functions, procedures, languages, models,
//! datashares, system permissions, scoped permissions (FOR TABLES IN SCHEMA), ASSUMEROLE.

use super::cursor::{Cursor, quote};
use super::identities::{self, Kind};
use super::query::system_view;
use super::{Action, HELPER_SCHEMA, Prepared, SqlError, literal};

/// What PostgreSQL can grant on a table.
const TABLE_PRIVILEGES: [&str; 8] =
    ["select", "insert", "update", "delete", "truncate", "references", "rule", "trigger"];
/// What only Redshift can.
const EXTRA_PRIVILEGES: [&str; 2] = ["drop", "alter"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Grant,
    Revoke,
}

/// `GRANT …`.
pub(super) fn grant(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("grant")?;
    if cursor.eat("role") {
        return identities::grant_role(cursor);
    }
    let change = Change::read(&mut cursor, Verb::Grant, Scope::Objects)?;
    Ok(Prepared::of(Action::Command(change.postgres(""))))
}

/// `REVOKE …`.
pub(super) fn revoke(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("revoke")?;
    let admin_only = cursor.eat("admin option for");
    if cursor.eat("role") {
        return identities::revoke_role(cursor, admin_only);
    }
    if admin_only {
        return Err(cursor.syntax_error());
    }
    let change = Change::read(&mut cursor, Verb::Revoke, Scope::Objects)?;
    Ok(Prepared::of(Action::Command(change.postgres(""))))
}

/// `ALTER DEFAULT PRIVILEGES [FOR USER u, …] [IN SCHEMA s, …] GRANT|REVOKE …`, after these two
/// words.
pub(super) fn alter_default(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let mut head = String::from("ALTER DEFAULT PRIVILEGES ");
    if cursor.eat("for user") {
        head.push_str(&format!("FOR ROLE {} ", Kind::User.identities(&mut cursor)?.join(", ")));
    }
    if cursor.eat("in schema") {
        head.push_str(&format!(
            "IN SCHEMA {} ",
            list(&mut cursor, |cursor| Ok(quote(&cursor.identifier()?)))?.join(", ")
        ));
    }
    let verb = if cursor.eat("grant") {
        Verb::Grant
    } else {
        cursor.expect("revoke")?;
        Verb::Revoke
    };
    let change = Change::read(&mut cursor, verb, Scope::Defaults)?;
    Ok(Prepared::of(Action::Command(change.postgres(&head))))
}

fn list<'a, T>(
    cursor: &mut Cursor<'a>,
    mut item: impl FnMut(&mut Cursor<'a>) -> Result<T, SqlError>,
) -> Result<Vec<T>, SqlError> {
    let mut items = vec![item(cursor)?];
    while cursor.eat(",") {
        items.push(item(cursor)?);
    }
    Ok(items)
}

/// Where a GRANT stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Objects,
    /// In ALTER DEFAULT PRIVILEGES.
    Defaults,
}

/// What the privileges are on.
#[derive(Debug, PartialEq, Eq)]
enum Object {
    /// Quoted names.
    Tables(Vec<String>),
    /// All tables of schemas, by their quoted names.
    AllTables(Vec<String>),
    Schemas(Vec<String>),
    Databases(Vec<String>),
    /// TABLES, of default privileges.
    FutureTables,
}

/// One privilege and its columns, quoted; no columns: all of the object.
#[derive(Debug, PartialEq, Eq)]
struct Privilege {
    name: String,
    columns: Vec<String>,
}

/// To or from whom; PostgreSQL's name, not quoted. `None` is PUBLIC.
struct Grantee {
    role: Option<String>,
    may_grant: bool,
}

impl Grantee {
    fn postgres(&self) -> String {
        self.role.as_ref().map_or_else(|| "PUBLIC".to_owned(), |role| quote(role))
    }
}

/// A GRANT or a REVOKE.
struct Change {
    verb: Verb,
    /// REVOKE GRANT OPTION FOR.
    option_only: bool,
    /// Empty: ALL.
    privileges: Vec<Privilege>,
    object: Object,
    grantees: Vec<Grantee>,
    is_cascade: bool,
}

impl Change {
    fn read(cursor: &mut Cursor<'_>, verb: Verb, scope: Scope) -> Result<Change, SqlError> {
        let option_only = verb == Verb::Revoke && cursor.eat("grant option for");
        let privileges = privileges(cursor)?;
        cursor.expect("on")?;
        let object = match scope {
            Scope::Objects => object(cursor)?,
            Scope::Defaults if cursor.eat("tables") => Object::FutureTables,
            Scope::Defaults if cursor.peeks("functions") || cursor.peeks("procedures") => {
                return Err(SqlError::unsupported(
                    "ALTER DEFAULT PRIVILEGES ON FUNCTIONS and PROCEDURES",
                ));
            }
            Scope::Defaults => return Err(cursor.syntax_error()),
        };
        check(&privileges, &object)?;
        cursor.expect(if verb == Verb::Grant { "to" } else { "from" })?;
        let is_of_columns = privileges.iter().any(|privilege| !privilege.columns.is_empty());
        let grantees = list(cursor, |cursor| grantee(cursor, verb, is_of_columns))?;
        let is_cascade = verb == Verb::Revoke && cursor.eat("cascade");
        if verb == Verb::Revoke && !is_cascade {
            cursor.eat("restrict");
        }
        cursor.expect_end()?;
        Ok(Change { verb, option_only, privileges, object, grantees, is_cascade })
    }

    /// The statements; `head` is what stands in front of each.
    fn postgres(&self, head: &str) -> String {
        let mut statements = Vec::new();
        for may_grant in [false, true] {
            let grantees: Vec<&Grantee> =
                self.grantees.iter().filter(|grantee| grantee.may_grant == may_grant).collect();
            if grantees.is_empty() {
                continue;
            }
            if let Some(privileges) = self.native() {
                statements
                    .push(format!("{head}{}", self.statement(&privileges, &grantees, may_grant)));
            }
            statements.extend(self.record(&grantees, may_grant));
        }
        statements.join("; ")
    }

    /// What PostgreSQL can grant of it.
    fn native(&self) -> Option<String> {
        if self.privileges.is_empty() {
            return Some("ALL".to_owned());
        }
        let native: Vec<String> = self
            .privileges
            .iter()
            .filter(|privilege| !EXTRA_PRIVILEGES.contains(&privilege.name.as_str()))
            .map(|privilege| match privilege.columns.join(", ") {
                columns if columns.is_empty() => privilege.name.to_uppercase(),
                columns => format!("{} ({columns})", privilege.name.to_uppercase()),
            })
            .collect();
        (!native.is_empty()).then(|| native.join(", "))
    }

    fn statement(&self, privileges: &str, grantees: &[&Grantee], may_grant: bool) -> String {
        let object = match &self.object {
            Object::Tables(names) => format!("TABLE {}", names.join(", ")),
            Object::AllTables(schemas) => format!("ALL TABLES IN SCHEMA {}", schemas.join(", ")),
            Object::Schemas(names) => format!("SCHEMA {}", names.join(", ")),
            Object::Databases(names) => format!("DATABASE {}", names.join(", ")),
            Object::FutureTables => "TABLES".to_owned(),
        };
        let grantees: Vec<String> = grantees.iter().map(|grantee| grantee.postgres()).collect();
        let grantees = grantees.join(", ");
        if self.verb == Verb::Grant {
            let option = if may_grant { " WITH GRANT OPTION" } else { "" };
            return format!("GRANT {privileges} ON {object} TO {grantees}{option}");
        }
        let option = if self.option_only { "GRANT OPTION FOR " } else { "" };
        let behaviour = if self.is_cascade { " CASCADE" } else { "" };
        format!("REVOKE {option}{privileges} ON {object} FROM {grantees}{behaviour}")
    }

    /// The call that records DROP and ALTER, which come with ALL too.
    fn record(&self, grantees: &[&Grantee], may_grant: bool) -> Option<String> {
        let (names, is_schemas) = match &self.object {
            Object::Tables(names) => (names, false),
            Object::AllTables(schemas) => (schemas, true),
            _ => return None,
        };
        let extra = EXTRA_PRIVILEGES.iter().filter(|extra| {
            self.privileges.is_empty() || self.privileges.iter().any(|own| own.name == **extra)
        });
        let extra: Vec<String> = extra.map(|extra| extra.to_uppercase()).collect();
        if extra.is_empty() {
            return None;
        }
        let array = |items: &mut dyn Iterator<Item = &str>, cast: &str| {
            let items: Vec<String> = items.map(|item| format!("{}{cast}", literal(item))).collect();
            format!("ARRAY[{}]", items.join(", "))
        };
        Some(format!(
            "CALL {HELPER_SCHEMA}.record_privileges({}, {}::oid[], {is_schemas}, {}, {}, {})",
            literal(match (self.verb, self.option_only) {
                (Verb::Grant, _) => "grant",
                (Verb::Revoke, false) => "revoke",
                (Verb::Revoke, true) => "revoke option",
            }),
            // Looked up here, on the search path of the user.
            array(
                &mut names.iter().map(String::as_str),
                if is_schemas { "::regnamespace" } else { "::regclass" }
            ),
            array(&mut extra.iter().map(String::as_str), ""),
            array(&mut grantees.iter().map(|grantee| grantee.role.as_deref().unwrap_or("")), ""),
            may_grant
        ))
    }
}

/// The privileges before ON; none for ALL.
fn privileges(cursor: &mut Cursor<'_>) -> Result<Vec<Privilege>, SqlError> {
    if cursor.eat("all") {
        cursor.eat("privileges");
        let columns = columns(cursor)?;
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let names = ["select", "update"].into_iter();
        return Ok(names
            .map(|name| Privilege { name: name.to_owned(), columns: columns.clone() })
            .collect());
    }
    list(cursor, |cursor| {
        let name = cursor.text().to_ascii_lowercase();
        let known = ["create", "usage", "temp", "temporary"];
        if ["execute", "assumerole", "explain", "ignore", "access"].contains(&name.as_str()) {
            return Err(SqlError::unsupported(&format!("privilege {}", name.to_uppercase())));
        }
        let lists = [&TABLE_PRIVILEGES[..], &EXTRA_PRIVILEGES, &known];
        if !lists.iter().any(|list| list.contains(&name.as_str())) {
            return Err(cursor.syntax_error());
        }
        cursor.skip();
        if cursor.peeks("(") && !matches!(name.as_str(), "select" | "update") {
            return Err(cursor
                .syntax_error()
                .with_hint("Amazon Redshift grants SELECT and UPDATE on columns"));
        }
        Ok(Privilege { name, columns: columns(cursor)? })
    })
}

/// `(a, b)`, if it is there.
fn columns(cursor: &mut Cursor<'_>) -> Result<Vec<String>, SqlError> {
    if !cursor.eat("(") {
        return Ok(Vec::new());
    }
    let columns = list(cursor, |cursor| Ok(quote(&cursor.identifier()?)))?;
    cursor.expect(")")?;
    Ok(columns)
}

fn object(cursor: &mut Cursor<'_>) -> Result<Object, SqlError> {
    let names = |cursor: &mut Cursor<'_>| list(cursor, |cursor| Ok(quote(&cursor.identifier()?)));
    if cursor.eat("all tables in schema") {
        return names(cursor).map(Object::AllTables);
    }
    if cursor.eat("schema") {
        return names(cursor).map(Object::Schemas);
    }
    if cursor.eat("database") {
        return names(cursor).map(Object::Databases);
    }
    for other in [
        "function",
        "procedure",
        "language",
        "model",
        "datashare",
        "all functions",
        "all procedures",
        "external",
    ] {
        if cursor.peeks(other) {
            return Err(SqlError::unsupported(&format!(
                "GRANT and REVOKE ON {}",
                other.to_uppercase()
            )));
        }
    }
    cursor.eat("table");
    let tables = list(cursor, |cursor| {
        let name = cursor.qualified_name()?;
        let system = match name.schema.as_deref() {
            None | Some("pg_catalog") => system_view(&name.table),
            Some(_) => None,
        };
        Ok(system.unwrap_or_else(|| name.to_string()))
    })?;
    Ok(Object::Tables(tables))
}

/// Refuses what Redshift's synopses have not.
fn check(privileges: &[Privilege], object: &Object) -> Result<(), SqlError> {
    let is_of_columns = |privilege: &Privilege| !privilege.columns.is_empty();
    if privileges.iter().any(is_of_columns) {
        let on_tables = matches!(object, Object::Tables(_));
        if !on_tables || !privileges.iter().all(is_of_columns) {
            return Err(SqlError::absent(
                "(",
                "columns at every privilege of a GRANT on tables, or at none",
            ));
        }
    }
    let (allowed, what): (&[&str], &str) = match object {
        Object::Tables(_) | Object::AllTables(_) | Object::FutureTables => {
            (&TABLE_PRIVILEGES, "relation")
        }
        Object::Schemas(_) => (&["create", "usage"], "schema"),
        Object::Databases(_) => (&["create", "temp", "temporary"], "database"),
    };
    let records = matches!(object, Object::Tables(_) | Object::AllTables(_));
    for privilege in privileges {
        let name = privilege.name.as_str();
        let is_extra = EXTRA_PRIVILEGES.contains(&name);
        if is_extra && !records {
            return Err(SqlError::unsupported(&format!(
                "privilege {} on a {what}, or by default,",
                name.to_uppercase()
            )));
        }
        if !is_extra && !allowed.contains(&name) {
            return Err(SqlError::new(format!(
                "invalid privilege type {} for {what}",
                name.to_uppercase()
            )));
        }
    }
    Ok(())
}

fn grantee(cursor: &mut Cursor<'_>, verb: Verb, is_of_columns: bool) -> Result<Grantee, SqlError> {
    let role = if cursor.eat("public") {
        None
    } else if cursor.eat("group") {
        Some(Kind::Group.identity(cursor)?)
    } else if cursor.eat("role") {
        Some(Kind::Role.identity(cursor)?)
    } else {
        Some(Kind::User.identity(cursor)?)
    };
    let is_user = role.as_deref().is_some_and(|role| Kind::split(role).0 == "user");
    let may_grant = verb == Verb::Grant && cursor.eat("with grant option");
    if may_grant && !is_user {
        // PostgreSQL 8's words, and still Redshift's rule.
        return Err(SqlError::new("grant options can only be granted to individual users"));
    }
    if may_grant && is_of_columns {
        return Err(SqlError::absent("WITH", "no grant option on columns"));
    }
    Ok(Grantee { role, may_grant })
}
