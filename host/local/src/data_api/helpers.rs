//! What Redshift has and PostgreSQL has not, as SQL that runs once per database when it is first used and may be repeated.
//! In order: a file may use what an earlier one makes. Each file grants what it makes to PUBLIC itself, where users may see it.

/// All helper files as one script; it runs as one transaction.
pub(super) const HELPERS: &str = concat!(
    include_str!("helpers/schema.sql"),
    include_str!("helpers/identities.sql"),
    include_str!("helpers/base.sql"),
    include_str!("helpers/views.sql"),
    include_str!("helpers/alter.sql"),
    include_str!("helpers/grants.sql"),
    include_str!("helpers/keys.sql"),
    include_str!("helpers/key_views.sql"),
    include_str!("helpers/varbyte.sql"),
);
