//! Reads what depends on a table, and changes nothing. One execution when nothing reads the table,
//! else four: overview, views, privileges and policies. Very long lists of views take more, and so
//! do schemas in which the user may perhaps make no views.

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::Result;
use loader_model::names::TableName;
use loader_warehouse::dependents::conditions::lists;
use loader_warehouse::dependents::details::{self, Details};
use loader_warehouse::dependents::overview::{self, Overview};
use loader_warehouse::dependents::policies::{self, Protected};
use loader_warehouse::dependents::user::{self, CurrentUser};
use loader_warehouse::dependents::{Dependent, Dependents, create_probe, privileges};
use loader_warehouse::refusal::{self, Refusal};
use loader_warehouse::rows::{ResultRows, unexpected};
use loader_warehouse::sql::batches;

use crate::redshift::{lock_wait, retry};

/// Reads everything about the target's dependents, and about the views of `also` with their own
/// readers, as far as these exist. A target that does not exist has no dependents.
// Each question needs the answer before it: the overview names the views, their details name the
// relations whose privileges are asked for, and only assembled views can be marked as protected.
pub async fn read(api: &DataApi, target: &TableName, also: &[TableName]) -> Result<Dependents> {
    let doing = "reading what depends on the table";
    let answers = query(api, doing, &overview::queries(target, also)).await?;
    let overview = Overview::read(&answers, target)?;
    let mut details = Details::default();
    read_views(api, overview.views(), &mut details).await?;
    for schema in details.closed_schemas() {
        if may_create(api, &schema).await? {
            details.open_schema(&schema);
        }
    }
    read_privileges(api, &mut details).await?;
    let mut dependents = overview.with(&details);
    if !dependents.views.is_empty() {
        let protected = protected(api, &dependents.views).await?;
        dependents.mark_protected(protected.as_deref());
    }
    Ok(dependents)
}

/// The database user that runs the program's statements.
pub async fn current_user(api: &DataApi) -> Result<String> {
    let answers = query(api, "asking for the database user", &[user::query()]).await?;
    let answer = answers.first().ok_or_else(|| unexpected("pg_user"))?;
    answer.first("pg_user").map(|user: CurrentUser| user.name)
}

async fn read_views(api: &DataApi, ids: &[i64], details: &mut Details) -> Result<()> {
    let doing = "reading the views that depend on the table";
    for ids in lists(ids.iter().map(i64::to_string), ", ") {
        let answers = query(api, doing, &details::queries(&ids)).await?;
        let [views, definitions, comments] = answers.as_slice() else {
            return Err(unexpected("the catalog"));
        };
        details.add_views(views, definitions, comments)?;
    }
    Ok(())
}

/// Whether our user may make views in a schema, found by trying.
async fn may_create(api: &DataApi, schema: &str) -> Result<bool> {
    Ok(match api.execute_batch(&create_probe(schema)).await? {
        Outcome::Finished(_) => true,
        Outcome::Failed(failure) => failure.refusal == Refusal::Guard,
    })
}

async fn read_privileges(api: &DataApi, details: &mut Details) -> Result<()> {
    let doing = "reading the privileges on the views";
    for names in lists(details.names().map(privileges::is_relation), " OR ") {
        let answers = query(api, doing, &privileges::queries(&names)).await?;
        let [relations, columns] = answers.as_slice() else {
            return Err(unexpected("the catalog"));
        };
        details.add_privileges(relations, columns)?;
    }
    Ok(())
}

/// Which of the views have policies of row-level security. `None`: the user may not see policies,
/// which takes rights that no other query takes.
// That is why this query is an execution of its own: in a batch with the others, a denied query
// would cost their answers too.
async fn protected(api: &DataApi, views: &[Dependent]) -> Result<Option<Vec<TableName>>> {
    let mut found = Vec::new();
    let views = views.iter().map(|dependent| policies::is_protected(&dependent.view.name));
    for names in lists(views, " OR ") {
        let executed = match api.execute(&policies::query(&names)).await? {
            Outcome::Finished(executed) => executed,
            Outcome::Failed(_) => return Ok(None),
        };
        let protected = api.rows(&executed, None).await?.decode()?.into_iter();
        found.extend(protected.map(|Protected { name }| name));
    }
    Ok(Some(found))
}

/// Runs queries as one batch and returns the rows of each. More than a batch takes are several: for
/// example, 50 queries, or three that name 60 KB of views each.
pub(super) async fn query(
    api: &DataApi,
    doing: &str,
    statements: &[String],
) -> Result<Vec<ResultRows>> {
    let mut answers = Vec::with_capacity(statements.len());
    for batch in batches(statements) {
        match retry::execute_batch(api, batch).await? {
            Outcome::Failed(failure) if failure.refusal == Refusal::Cancelled => {
                return Err(lock_wait::query_cancelled(api, doing, &failure));
            }
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
