//! What the warehouse does while a load waits for it, in words for the progress.

use std::sync::Arc;

use loader_aws::data_api::DataApi;
use loader_warehouse::load_batch::StatementRole;

use crate::progress::Progress;

/// The client, which shows what the warehouse does.
pub(crate) fn watched(
    progress: &Progress,
    api: &DataApi,
    roles: &[StatementRole],
    rows_staged: u64,
) -> DataApi {
    if !progress.is_shown() {
        return api.clone();
    }
    progress.waits_for("waiting for the warehouse");
    let (progress, roles) = (progress.clone(), roles.to_vec());
    api.watched_by(Arc::new(move |running| {
        let role = running.statement.and_then(|place| roles.get(place));
        progress.waits_for(&doing(role.copied(), rows_staged));
    }))
}

/// What the warehouse does, in words.
fn doing(role: Option<StatementRole>, rows: u64) -> String {
    match role {
        None => "waiting for the warehouse".to_owned(),
        Some(StatementRole::Lock) => "waiting for other loads of the table".to_owned(),
        Some(
            StatementRole::Setting
            | StatementRole::ListFiles
            | StatementRole::FenceGuard
            | StatementRole::CreateStage,
        ) => "preparing the transaction".to_owned(),
        Some(StatementRole::Copy) => format!("copying {rows} rows"),
        Some(StatementRole::RowGuard | StatementRole::DuplicateGuard) => {
            format!("checking {rows} rows")
        }
        Some(
            StatementRole::Fence
            | StatementRole::Ledger
            | StatementRole::Audit
            | StatementRole::Report,
        ) => "writing down the load".to_owned(),
        Some(
            StatementRole::CreateTable
            | StatementRole::HoldTarget
            | StatementRole::ColumnGuard
            | StatementRole::RespeltKeyGuard
            | StatementRole::OneKeyGuard
            | StatementRole::Respell
            | StatementRole::Count
            | StatementRole::NewKeyGuard
            | StatementRole::Delete
            | StatementRole::Update
            | StatementRole::Insert
            | StatementRole::CreateView,
        ) => format!("merging {rows} rows"),
    }
}
