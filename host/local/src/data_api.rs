//! The Amazon Redshift Data API over PostgreSQL. In: AWS JSON 1.1 requests. Out: what the service
//! would answer. Each execution runs its SQL on a PostgreSQL connection of its own; `sql` makes
//! each statement behave as on Redshift, and `copy` loads by Redshift's rules.
//!
//! It does: Execute and BatchExecute (both modes), Describe with sub-statements and long polls,
//! results with paging (JSON and CSV), cancel, sessions, lists of statements, sessions, databases,
//! schemas and tables, DescribeTable; client tokens, parameters, signatures, and the service's
//! limits. It does not: check passwords (it believes `DbUser`, and a client without one is the
//! superuser `loader`), count sessions (PostgreSQL has 300 connections), send events, name the
//! table behind a result's column, or remember its statements and sessions over a restart. Of
//! Redshift's engine it has no procedures, UNLOAD, ALTER TABLE APPEND, SHOW TABLE and the other
//! SHOW statements on objects, QUALIFY, PIVOT, or navigation in SUPER. It records distribution,
//! sort order, encodings and keys and shows them, nothing more. Blanks at the end of a VARCHAR
//! column do not count in `=` and `<>`; they do in orders, DISTINCT, GROUP BY and PARTITION BY, and
//! where functions or constants alone are compared (`UPPER(a) = UPPER(b)`).
//!
//! A transaction has the isolation level of its database, SNAPSHOT (PostgreSQL's REPEATABLE READ)
//! or SERIALIZABLE. PostgreSQL looks for dangerous pairs of reads and writes where Redshift looks
//! for circles, so it may end a transaction that Redshift would let pass. Two writers of one table
//! wait for each other. One that runs as `DbUser` has its snapshot from before it waited.
//!
//! Views are bound, late-binding or materialized. A bound view blocks what Redshift says it blocks:
//! ALTER COLUMN TYPE of any column of its table, DROP of the table and of the columns that the view
//! uses; the view follows a renamed table or column. The stand-in looks a late-binding view up by
//! its names when a statement reads it, so such a view blocks nothing, has no columns in the
//! catalog and no edges in `pg_depend`, and the other two kinds and MERGE cannot read it. Its query
//! runs with the rights of its reader, where Redshift takes its owner's. OR REPLACE does not change
//! a view's kind. A materialized view is PostgreSQL's: `pg_class.relkind` is `m` (`v` in Redshift),
//! its columns are not in `svv_columns`, it follows renamed columns where Redshift could not
//! refresh its own any more, and AUTO REFRESH, keys and BACKUP do nothing. There is no
//! `pg_get_late_binding_view_cols()`, `svv_mv_info` or SHOW VIEW.

mod catalog;
mod describe;
mod execute;
mod execution;
mod helpers;
mod history;
mod kept;
mod late_binding;
mod list;
mod list_sessions;
mod members;
mod names;
mod permissions;
mod protocol;
mod registry;
mod result;
mod run;
mod service;
mod statement;
mod warehouse;

pub(crate) use service::Service;
pub(crate) use warehouse::Warehouse;
