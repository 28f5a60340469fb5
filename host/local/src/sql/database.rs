//! CREATE DATABASE, ALTER DATABASE and DROP DATABASE. In: a statement's tokens. Out: PostgreSQL
//! text. The isolation level of a database is the level that PostgreSQL gives to its new
//! connections: `ALTER DATABASE dev ISOLATION LEVEL SERIALIZABLE` becomes
//! `ALTER DATABASE "dev" SET default_transaction_isolation TO 'serializable'`.

use super::cursor::Cursor;
use super::error::SqlError;
use super::identities::kind::IdentityKind;
use super::prepared::{Action, Prepared};
use super::quoting::quote;

/// `CREATE DATABASE name [WITH] [OWNER [=] user] [ISOLATION LEVEL l]`, from the name on.
pub(super) fn create(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let name = quote(&cursor.identifier()?);
    let mut create = format!("CREATE DATABASE {name}");
    cursor.eat("with");
    if cursor.eat("owner") {
        cursor.eat("=");
        let owner = quote(&IdentityKind::User.identity(&mut cursor)?);
        create.push_str(&format!(" OWNER {owner}"));
    }
    let mut texts = vec![create];
    if cursor.peeks("isolation") {
        texts.push(isolation_level(&name, &mut cursor)?);
    }
    expect_no_more(&cursor)?;
    Ok(Prepared::of(Action::Apart(texts))
        .outside_transactions("CREATE DATABASE cannot run inside a transaction block"))
}

/// `ALTER DATABASE name ISOLATION LEVEL l`, from the name on.
pub(super) fn alter(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let name = quote(&cursor.identifier()?);
    if !cursor.peeks("isolation") {
        let change = cursor.text().to_ascii_uppercase();
        return Err(SqlError::unsupported(&format!("ALTER DATABASE {change}")));
    }
    let text = isolation_level(&name, &mut cursor)?;
    expect_no_more(&cursor)?;
    Ok(Prepared::command(text)
        .outside_transactions("ALTER DATABASE cannot run inside a transaction block"))
}

/// `DROP DATABASE name`, from the name on.
pub(super) fn drop(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let name = cursor.identifier()?;
    cursor.expect_end()?;
    Ok(Prepared::of(Action::DropDatabase { name })
        .outside_transactions("DROP DATABASE cannot run inside a transaction block"))
}

fn isolation_level(name: &str, cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    cursor.expect("isolation level")?;
    let change = if cursor.eat("serializable") {
        "SET default_transaction_isolation TO 'serializable'"
    } else {
        cursor.expect("snapshot")?;
        "RESET default_transaction_isolation"
    };
    Ok(format!("ALTER DATABASE {name} {change}"))
}

fn expect_no_more(cursor: &Cursor<'_>) -> Result<(), SqlError> {
    let more = ["connection", "collate", "from"].iter().find(|word| cursor.peeks(word));
    match more {
        Some(word) => {
            Err(SqlError::unsupported(&format!("{} of a database", word.to_ascii_uppercase())))
        }
        None => cursor.expect_end(),
    }
}
