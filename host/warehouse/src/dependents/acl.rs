//! `pg_class.relacl`: the names that have privileges on a relation, also the names that
//! SVV_RELATION_PRIVILEGES does not show to our user.
//!
//! In: the array's entries as PostgreSQL prints them (`name=privileges/grantor`), joined by commas.
//! Out: the names alone. Whether a name is a user, a group or a role does not matter for finding
//! hidden privileges. (For example, `ann=arwd/ann,group analysts=r/ann` has the names `ann` and
//! `analysts`.)

/// The name of PUBLIC in the array, which is empty: `=r/ann` is SELECT for PUBLIC.
pub(super) const PUBLIC: &str = "";

/// The names that have privileges, in the order of the array, each once.
pub(super) fn grantees(relacl: &str) -> Vec<String> {
    let mut grantees = Vec::new();
    for entry in split(relacl, ',') {
        let Some(grantee) = split(&entry, '=').into_iter().next() else { continue };
        let name = unquoted(&grantee);
        if !grantees.contains(&name) {
            grantees.push(name);
        }
    }
    grantees
}

/// Splits a text at a separator that stands outside of double quotes. An empty text has no pieces.
fn split(text: &str, separator: char) -> Vec<String> {
    let (mut pieces, mut piece, mut quoted) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        if letter == separator && !quoted {
            pieces.push(std::mem::take(&mut piece));
            continue;
        }
        // A doubled quote inside a name flips twice, which changes nothing.
        quoted ^= letter == '"';
        piece.push(letter);
    }
    if !text.is_empty() {
        pieces.push(piece);
    }
    pieces
}

/// Words for the kind of a grantee that stand before its name. The first is Redshift's; how it
/// writes roles, no public source shows, so their likely forms are all read.
const KINDS: [&str; 4] = ["group ", "role ", "group:", "role:"];

/// A name without its quotes and without its kind: `group "my team"` becomes `my team`.
fn unquoted(grantee: &str) -> String {
    let grantee = grantee.trim();
    let name = KINDS.iter().find_map(|kind| grantee.strip_prefix(kind)).unwrap_or(grantee).trim();
    match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(inside) => {
            let inside = inside.replace("\"\"", "\"");
            KINDS.iter().find_map(|kind| inside.strip_prefix(kind)).unwrap_or(&inside).to_owned()
        }
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_kinds_are_found() {
        let relacl = r#"ann=arwdRxtD/ann,group analysts=r/ann,"IAMR:a,b=""c"""=r*w/ann,group "my team"=r/"an n",=r/ann,ann=r/bob"#;
        assert_eq!(grantees(relacl), ["ann", "analysts", "IAMR:a,b=\"c\"", "my team", PUBLIC]);
        assert_eq!(grantees(""), Vec::<String>::new());
        let roles = r#"role reader=r/ann,role:writer=w/ann,"role:my role"=r/ann,role "a b"=r/ann"#;
        assert_eq!(grantees(roles), ["reader", "writer", "my role", "a b"]);
    }
}
