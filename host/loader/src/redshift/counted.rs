//! What a load has counted, of each file.

use loader_aws::data_api::{DataApi, Executed};
use loader_model::error::{Error, Kind, Result};
use loader_warehouse::load_batch::{Counts, StatementRole};
use loader_warehouse::rows::unexpected;

use crate::report::{FileReport, RowCounts, SourceReport};
use crate::values::{FileCounts, ReadFile};

/// The report of one of the files.
pub(crate) fn report(file: &ReadFile, staged: &FileCounts, counts: &Counts) -> FileReport {
    let FileCounts { read, staged, rejected, rejected_to } = staged.clone();
    let Counts { inserted, updated, duplicates } = *counts;
    FileReport {
        source: SourceReport::of(&file.source),
        rows: RowCounts { read, staged, rejected, inserted, updated, duplicates },
        rejected_to: rejected_to.map(|uri| uri.to_string()),
        archived_to: None,
    }
}

/// Reads what the batch counted, of each file. A notice, when the service says something else about
/// its INSERT.
// The counts come from the transaction itself and are what counts. What the service says of a
// statement of a batch is documented for single statements only, so it cannot make a load fail
// whose rows are committed.
pub(crate) async fn counts(
    api: &DataApi,
    roles: &[StatementRole],
    executed: &Executed,
    files: &[FileCounts],
) -> Result<(Vec<Counts>, Option<String>)> {
    let place = |wanted: StatementRole| roles.iter().position(|role| *role == wanted);
    let rows = api.rows(executed, place(StatementRole::Report)).await?;
    let of_files: Vec<Counts> = rows.decode()?;
    if of_files.len() != files.len() {
        return Err(unexpected("the count of rows"));
    }
    for (counts, FileCounts { staged, .. }) in of_files.iter().zip(files) {
        let accounted = counts.inserted + counts.updated + counts.duplicates;
        if accounted != *staged {
            let fact = format!("{staged} rows were staged, but {accounted} accounted for");
            return Err(Error::new(Kind::Internal, fact));
        }
    }
    // Of several files the rows that lose to one of a later file are not written.
    let [counts] = of_files.as_slice() else { return Ok((of_files, None)) };
    // Merging deletes the rows of known keys and inserts the file's row of every key. Without a
    // DELETE, known rows were updated in place. (For example, 2 new and 3 known orders are 5
    // written rows, or 2.)
    let updates_in_place = place(StatementRole::Delete).is_none();
    let inserts = if updates_in_place { counts.inserted } else { counts.inserted + counts.updated };
    let said = place(StatementRole::Insert).and_then(|insert| executed.result_rows.get(insert));
    // The service says -1 where it does not know the rows of a statement.
    let said = said.and_then(|said| u64::try_from(*said).ok()).filter(|said| *said != inserts);
    let notice = said.map(|said| {
        format!(
            "the Data API says that INSERT wrote {said} rows; the load itself counted {inserts}"
        )
    });
    Ok((of_files, notice))
}
