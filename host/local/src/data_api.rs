//! The Amazon Redshift Data API over PostgreSQL. In: AWS JSON 1.1 requests. Out: what the service
//! would answer; SQL runs on connections of its own, each statement as Redshift would run it
//! (`sql`), COPY by Redshift's rules (`copy`).
//!
//! It does: Execute and BatchExecute (both modes), Describe with sub-statements and long polls,
//! results with paging (JSON and CSV), cancel, lists of statements, databases, schemas and tables,
//! DescribeTable; client tokens, parameters, and the service's limits. It does not: check
//! signatures or passwords (`DbUser` is taken at its word, and without it every client is the
//! superuser `loader`), keep sessions (refused), send events, name the table behind a result's
//! column, survive a restart with its statements. Of Redshift's engine it has no procedures,
//! UNLOAD, ALTER TABLE APPEND, SHOW TABLE and its like, QUALIFY, PIVOT, navigation in SUPER.
//! Distribution, sort order, encodings and keys are recorded and shown, nothing more; trailing
//! blanks count where VARCHAR is compared; writers of one table wait for each other only where they
//! lock it or change the same rows.
//!
//! Views are bound, late-binding or materialized. A bound one blocks what Redshift says it blocks:
//! ALTER COLUMN TYPE of any column of its table, DROP of the table and of columns it uses; it
//! follows a renamed table or column. A late-binding one is looked up by names when it is read,
//! blocks nothing, has no columns in the catalog, no edges in `pg_depend`, and cannot be read by
//! the other two kinds or by MERGE; its query runs with the rights of its reader, where Redshift
//! takes its owner's. OR REPLACE does not change a view's kind. A materialized one is PostgreSQL's:
//! `pg_class.relkind` is `m` (`v` in Redshift), its columns are not in `svv_columns`, it follows
//! renamed columns where Redshift's could not be refreshed any more, and AUTO REFRESH, keys and
//! BACKUP do nothing. There is no `pg_get_late_binding_view_cols()`, `svv_mv_info` or SHOW VIEW.

mod catalog;
mod describe;
mod execute;
mod execution;
mod helpers;
mod history;
mod late_binding;
mod list;
mod members;
mod names;
mod protocol;
mod registry;
mod result;
mod run;
mod service;
mod warehouse;

pub(crate) use service::handle;
pub(crate) use warehouse::Warehouse;
