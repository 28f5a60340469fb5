//! Reads what depends on a table. Three executions at most; one when nothing reads the table.
//! Changes nothing.

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::Result;
use loader_model::names::TableName;
use loader_warehouse::dependents::{
    Dependent, Dependents, Details, Found, queries, unexpected, who,
};
use loader_warehouse::refusal;
use loader_warehouse::rows::Rows;
use loader_warehouse::sql::MAX_BATCH_STATEMENTS;

use crate::redshift::retry_conflicts;

/// Reads everything about the target's dependents, and about the views of `also` (with what reads
/// those) if they exist. A target that does not exist has none.
pub async fn read(api: &DataApi, target: &TableName, also: &[TableName]) -> Result<Dependents> {
    let doing = "reading what depends on the table";
    let answers = query(api, doing, &queries::dependencies(target, also)).await?;
    let found = Found::read(&answers, target)?;
    let details = details(api, found.views()).await?;
    let mut dependents = found.with(&details);
    if !dependents.views.is_empty() {
        let policies = policies(api, &dependents.views).await?;
        dependents.mark_protected(policies.as_deref());
    }
    Ok(dependents)
}

/// Which of the views have policies; `None`: we may not know. An execution of its own, since it
/// needs rights that nothing else does.
async fn policies(api: &DataApi, views: &[Dependent]) -> Result<Option<Vec<TableName>>> {
    let mut found = Vec::new();
    for names in queries::lists(
        views.iter().map(|dependent| queries::is_protected(&dependent.view.name)),
        " OR ",
    ) {
        let executed = match api.execute(&queries::policies(&names)).await? {
            Outcome::Finished(executed) => executed,
            Outcome::Failed(_) => return Ok(None),
        };
        let rows = api.rows(&executed, None).await?.rows;
        found.extend(
            rows.iter().map(|row| TableName { schema: row[0].to_text(), table: row[1].to_text() }),
        );
    }
    Ok(Some(found))
}

/// The database user that runs our statements.
pub async fn current_user(api: &DataApi) -> Result<String> {
    let answers = query(api, "asking who we are", &[queries::who()]).await?;
    answers.first().map_or_else(|| Err(unexpected("pg_user")), who).map(|(name, _)| name)
}

async fn details(api: &DataApi, ids: &[i64]) -> Result<Details> {
    let mut details = Details::default();
    for ids in queries::lists(ids.iter().map(i64::to_string), ", ") {
        let answers =
            query(api, "reading the views that depend on the table", &queries::details(&ids))
                .await?;
        let [views, definitions, comments] = answers.as_slice() else {
            return Err(unexpected("the catalog"));
        };
        details.add_views(views, definitions, comments)?;
    }
    for names in queries::lists(details.names().map(queries::is_relation), " OR ") {
        let answers =
            query(api, "reading the privileges on the views", &queries::privileges(&names)).await?;
        let [relations, columns] = answers.as_slice() else {
            return Err(unexpected("the catalog"));
        };
        details.add_privileges(relations, columns);
    }
    Ok(details)
}

/// Runs queries as one batch (several past 40) and returns the rows of each.
pub(super) async fn query(api: &DataApi, doing: &str, statements: &[String]) -> Result<Vec<Rows>> {
    let mut answers = Vec::with_capacity(statements.len());
    for batch in statements.chunks(MAX_BATCH_STATEMENTS) {
        match retry_conflicts::execute_batch(api, batch).await? {
            Outcome::Failed(failure) => return Err(refusal::explain(doing, &failure)),
            Outcome::Finished(executed) => {
                for nth in 0..batch.len() {
                    answers.push(api.rows(&executed, Some(nth)).await?);
                }
            }
        }
    }
    Ok(answers)
}
