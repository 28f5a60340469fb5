//! The roles that PostgreSQL has in every warehouse. Names and SQL, no I/O.
//!
//! Statements of clients run as no superuser of PostgreSQL, because that one may read and write the
//! machine's files and start programs (`pg_read_file`, `lo_export`, COPY TO PROGRAM). What Redshift
//! calls a superuser is a member of [`SUPERUSERS`], and that role is a member of every other user,
//! group and role. So a superuser owns whatever they own and may do whatever they may.

/// Owns PostgreSQL's data folder and the helper objects; the only superuser in PostgreSQL's sense.
/// No client becomes this role. Redshift's own superuser behind the scenes has the same name.
pub(crate) const OWNER: &str = "rdsdb";
/// Owns the database `dev`; runs the statements of clients that name no user.
pub(crate) const FIRST_USER: &str = "loader";
/// The role behind Redshift's superusers.
pub(crate) const SUPERUSERS: &str = "loader_local";

/// Makes the roles when they are missing.
// The membership in PostgreSQL's own roles is for what other superusers have made: of two
// superusers neither can be a member of the other. With the admin option, a superuser can pass
// `pg_read_all_stats` on, which is what SYSLOG ACCESS UNRESTRICTED does.
pub(crate) const MAKE: &str = "
    DO $$ BEGIN
        IF to_regrole('loader_local') IS NULL THEN
            CREATE ROLE loader_local NOLOGIN;
            GRANT pg_read_all_data, pg_write_all_data TO loader_local;
            GRANT pg_read_all_stats TO loader_local WITH ADMIN OPTION;
            CREATE ROLE loader LOGIN CREATEDB CREATEROLE IN ROLE loader_local;
        END IF;
    END $$";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_makes_these_roles() {
        for role in [FIRST_USER, SUPERUSERS] {
            assert!(MAKE.contains(&format!("CREATE ROLE {role} ")), "{role}");
        }
    }
}
