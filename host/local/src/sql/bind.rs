//! Parameters of the Data API: `:name` in the SQL becomes a literal without a type, as a driver's
//! prepared statement would bind it. For example, `WHERE order_id = :id` with the value 7 becomes
//! `WHERE order_id = '7'`. In: the SQL and the parameters. Out: SQL without placeholders, and which
//! parameters the SQL used. Literals and comments are left alone.

use super::error::SqlError;
use super::lexer::{TokenKind, lex};

/// A named value; never null and never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Parameter {
    /// The value as a literal of Redshift's SQL: `it's` becomes `'it''s'`.
    fn literal(&self) -> String {
        // A backslash is an escape in Redshift's literals. Without doubling it, a value that ends
        // in one would swallow the closing quote, and a later parameter could then run as SQL.
        format!("'{}'", self.value.replace('\\', "\\\\").replace('\'', "''"))
    }
}

/// Replaces the placeholders; `used[i]` is set for every parameter that occurs.
///
/// Errors: the outer one is SQL that the lexer cannot read, the inner one the name of a placeholder
/// without a value.
pub(crate) fn bind(
    sql: &str,
    parameters: &[Parameter],
    used: &mut [bool],
) -> Result<Result<String, String>, SqlError> {
    if parameters.is_empty() {
        return Ok(Ok(sql.to_owned()));
    }
    let mut bound = String::with_capacity(sql.len());
    let mut copied = 0;
    for token in lex(sql)? {
        let TokenKind::Parameter(name) = &token.kind else { continue };
        let Some(index) = parameters.iter().position(|parameter| parameter.name == *name) else {
            return Ok(Err(name.clone()));
        };
        used[index] = true;
        bound.push_str(&sql[copied..token.start]);
        bound.push_str(&parameters[index].literal());
        copied = token.end;
    }
    bound.push_str(&sql[copied..]);
    Ok(Ok(bound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_literals() {
        let parameters = ["id", "name"]
            .map(|name| Parameter { name: name.into(), value: format!("a'\\{name}") });
        let mut used = [false; 2];
        let sql = "select ':id' /* :x */, :name::varchar -- :y";
        let bound = bind(sql, &parameters, &mut used).unwrap().unwrap();
        assert_eq!(bound, r"select ':id' /* :x */, 'a''\\name'::varchar -- :y");
        assert_eq!(used, [false, true]);
        assert_eq!(bind("select :z", &parameters, &mut used).unwrap(), Err("z".to_owned()));
    }
}
