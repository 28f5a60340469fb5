//! What the aliases of long names stand for. PostgreSQL keeps 63 bytes of a name and Redshift 127,
//! so `sql::names` gives PostgreSQL an alias for a longer name, and here the full name is put back.
//! In: statements that are about to run. Out: rows in `loader_local.long_names`, which the views
//! read, and full names in results and errors. This process knows all names; each database has the
//! names that its own statements used.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use crate::copy::LoadError;
use crate::session::{ResultSet, Session};
use crate::sql::{HASH_DIGITS, HELPER_SCHEMA, LongName, MARK, literal, long_names};

/// All long names that any statement has used.
#[derive(Default)]
pub(crate) struct Names {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    by_hash: HashMap<String, LongName>,
    /// Database and alias of the rows in `long_names`, so that a name is stored once.
    stored: HashSet<(String, String)>,
}

impl Names {
    /// Reads the names that a database has, when the server first uses it.
    pub(super) async fn load(&self, session: &Session, database: &str) -> Result<(), String> {
        let rows =
            session.rows(&format!("SELECT full_name FROM {HELPER_SCHEMA}.long_names")).await?;
        let names = rows.iter().filter_map(|row| LongName::of(row[0].as_deref()?));
        self.add(database, names.collect());
        Ok(())
    }

    /// The names of statements that `database` does not have yet.
    pub(super) fn unknown(&self, database: &str, statements: &[String]) -> Vec<LongName> {
        let mut names: Vec<LongName> = statements.iter().flat_map(|sql| long_names(sql)).collect();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        names.retain(|name| !known.stored.contains(&(database.to_owned(), name.alias.clone())));
        names
    }

    /// Stores names of statements that are about to run. This happens before their transaction
    /// begins, since an error message of a failed one still has to be restored.
    // Two executions may store one name at once; `keep_names` ignores the second.
    pub(super) async fn store(
        &self,
        session: &Session,
        database: &str,
        names: Vec<LongName>,
    ) -> Result<(), String> {
        let aliases = array(names.iter().map(|name| name.alias.as_str()));
        let full = array(names.iter().map(|name| name.full.as_str()));
        session.command(&format!("SELECT {HELPER_SCHEMA}.keep_names({aliases}, {full})")).await?;
        self.add(database, names);
        Ok(())
    }

    /// A database was dropped, with the names that it had.
    pub(super) fn forget(&self, database: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.stored.retain(|(stored_in, _)| stored_in != database);
    }

    fn add(&self, database: &str, names: Vec<LongName>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            known.stored.insert((database.to_owned(), name.alias.clone()));
            known.by_hash.insert(name.hash().to_owned(), name);
        }
    }

    /// The text with full names in place of aliases.
    // Works from mark to mark. The mark alone proves nothing, since a column may be called
    // `xl_total`: an alias must have a hash that is known and, in front of the mark, its own
    // beginning. `copied` is the end of the last alias that was replaced; everything between two
    // aliases is copied unchanged together with the second one.
    pub(super) fn restore<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !text.contains(MARK) {
            return Cow::Borrowed(text);
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut restored = String::new();
        let mut copied = 0;
        for (at, _) in text.match_indices(MARK) {
            let end = at + MARK.len() + HASH_DIGITS;
            let hash = text.get(at + MARK.len()..end);
            let Some(name) = hash.and_then(|hash| known.by_hash.get(hash)) else { continue };
            if let Some((before, full)) = before_alias(&text[copied..end], name) {
                restored.push_str(before);
                restored.push_str(&full);
                copied = end;
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        restored.push_str(&text[copied..]);
        Cow::Owned(restored)
    }

    pub(super) fn restore_in_place(&self, text: &mut String) {
        if let Cow::Owned(restored) = self.restore(text) {
            *text = restored;
        }
    }

    // Most warehouses have no long names, and a result may have a million values: the check saves
    // the search in all of them.
    pub(super) fn restore_result(&self, result: &mut ResultSet) {
        if self.known.read().unwrap_or_else(PoisonError::into_inner).by_hash.is_empty() {
            return;
        }
        for column in &mut result.columns {
            self.restore_in_place(&mut column.name);
        }
        for value in result.rows.iter_mut().flat_map(|row| row.iter_mut()).flatten() {
            if let Cow::Owned(restored) = self.restore(value) {
                *value = restored.into_boxed_str();
            }
        }
    }

    pub(super) fn restore_load_error(&self, error: &mut LoadError) {
        for text in [&mut error.table_name, &mut error.column_name, &mut error.reason] {
            self.restore_in_place(text);
        }
    }
}

fn array<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let literals: Vec<String> = texts.map(literal).collect();
    format!("ARRAY[{}]", literals.join(", "))
}

/// The part of `text` before the alias that ends it, and the name to write in place of the alias.
fn before_alias<'a>(text: &'a str, name: &LongName) -> Option<(&'a str, String)> {
    // Inside quotes, as in a view's definition, quotes of the name are doubled: the name a"b is
    // "a""b" there. The doubled form is tried first, because the plain one may be its end.
    let doubled = |name: &str| name.replace('"', "\"\"");
    if let Some(before) = text.strip_suffix(&doubled(&name.alias)) {
        return Some((before, doubled(&name.full)));
    }
    Some((text.strip_suffix(&name.alias)?, name.full.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::quote;

    #[test]
    fn full_names_come_back_wherever_they_stand() {
        let names = Names::default();
        let plain = LongName::of(&"n".repeat(100)).unwrap();
        let odd = LongName::of(&format!("{}\"end", "a \"".repeat(30))).unwrap();
        let unknown = LongName::of(&"m".repeat(100)).unwrap().alias;
        names.add("dev", vec![plain.clone(), odd.clone()]);
        let text = |plain: &str, odd: &str| {
            let quoted = quote(odd);
            format!(
                "column \"{plain}\" does not exist, SELECT t.{quoted}, {plain}{odd} xl_ {unknown} \
                 FROM t.{plain}"
            )
        };
        assert_eq!(names.restore(&text(&plain.alias, &odd.alias)), text(&plain.full, &odd.full));
        assert!(matches!(names.restore(&unknown), Cow::Borrowed(_)));
    }
}
