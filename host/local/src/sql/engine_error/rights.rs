//! Errors about users, groups, roles and their rights. In: PostgreSQL's words, in which all three
//! are roles (`identities`). Out: Redshift's words.

use tokio_postgres::error::SqlState;

use crate::sql::identities::kind::IdentityKind;

/// The message, reworded when it is about rights.
pub(super) fn reworded(code: &SqlState, message: &str) -> String {
    let is_about_rights = [
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::UNDEFINED_OBJECT,
        SqlState::DUPLICATE_OBJECT,
        SqlState::OBJECT_IN_USE,
        SqlState::INVALID_GRANT_OPERATION,
        SqlState::RESERVED_NAME,
    ]
    .contains(code);
    if is_about_rights { with_kinds(&of_relation(message)) } else { message.to_owned() }
}

/// Says "relation" where PostgreSQL says "table", "view" or "materialized view":
/// `permission denied for view v` becomes `permission denied for relation v`.
fn of_relation(message: &str) -> String {
    for refusal in ["permission denied for", "must be owner of"] {
        for kind in ["table", "view", "materialized view"] {
            if let Some(name) = message.strip_prefix(&format!("{refusal} {kind} ")) {
                return format!("{refusal} relation {name}");
            }
        }
    }
    message.to_owned()
}

/// Puts the kinds of identities in place of PostgreSQL's roles: `role "group:g"` becomes
/// `group "g"`, and `role "u"` becomes `user "u"`.
pub(super) fn with_kinds(message: &str) -> String {
    const ROLE: &str = "role \"";
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, after)) = rest.split_once(ROLE) {
        let (kind, name) = IdentityKind::split(after);
        text.push_str(before);
        text.push_str(&format!("{kind} \""));
        rest = name;
    }
    text.push_str(rest);
    text
}

/// The error of DROP USER, DROP GROUP and DROP ROLE while the identity owns an object or has a
/// privilege. `None` when the message is about something else.
pub(super) fn still_needed(message: &str, detail: &str) -> Option<String> {
    let role = message
        .strip_prefix("role \"")?
        .strip_suffix("\" cannot be dropped because some objects depend on it")?;
    let (kind, name) = IdentityKind::split(role);
    let why = if detail.contains("owner of ") {
        "owns some object"
    } else {
        "has a privilege on some object"
    };
    Some(format!("{kind} \"{name}\" can't be dropped because the {kind} {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_told_in_redshifts_words() {
        for (postgres, redshift) in [
            ("permission denied for table t", "permission denied for relation t"),
            ("permission denied for view v", "permission denied for relation v"),
            ("must be owner of materialized view v", "must be owner of relation v"),
            ("permission denied for schema s", "permission denied for schema s"),
            (
                "role \"group:g\" is a member of role \"role:r\" and of role \"u\"",
                "group \"g\" is a member of role \"r\" and of user \"u\"",
            ),
        ] {
            assert_eq!(with_kinds(&of_relation(postgres)), redshift);
        }
        let message = "role \"group:g\" cannot be dropped because some objects depend on it";
        let refusal = |detail| still_needed(message, detail).unwrap_or_default();
        assert_eq!(
            refusal("privileges for table t"),
            "group \"g\" can't be dropped because the group has a privilege on some object"
        );
        assert_eq!(
            refusal("owner of view v"),
            "group \"g\" can't be dropped because the group owns some object"
        );
        assert_eq!(
            still_needed("cannot drop table t because other objects depend on it", "owner of"),
            None
        );
    }
}
