//! Messages and what they mean, kind and remedy included. The messages are Redshift's where one is
//! known (`tests/warehouse/*.toml` has the texts that the stand-in shares), else the stand-in's.

use super::*;

fn failure(message: &str) -> StatementFailure {
    StatementFailure::new("id".into(), 2, message.into(), 0)
}

/// Every message of the list means the same.
fn check(refusal: Refusal, kind: Kind, remedy: &str, messages: &[&str]) {
    for message in messages {
        let failure = failure(message);
        assert_eq!(failure.refusal, refusal, "{message}");
        let error = explain("loading", &failure);
        assert_eq!(error.kind(), kind, "{message}");
        let sentence = reason(message);
        let end = format!("{}{remedy} (statement_id id:3)", sentence.trim_end_matches('.'));
        assert!(error.to_string().ends_with(&end), "{error}");
    }
}

#[test]
fn what_passes_by_itself() {
    let conflicts = [
        "ERROR: 1023 DETAIL: Serializable isolation violation on table - 1",
        "ERROR: 1023\nDETAIL: Serializable isolation violation on table in Redshift",
        "ERROR: 1018 DETAIL: Relation does not exist",
        "ERROR: Serializable isolation violation on table - 100000, transactions forming the \
         cycle are: 1, 2 (pid:3)",
        "ERROR: UPDATE conflict with concurrent transaction on table t",
        "ERROR: deadlock detected\n  Detail: Process 1 waits for AccessExclusiveLock",
        "ERROR: could not open relation with OID 100000",
        "ERROR: Relation with OID 108325 does not exist.",
        "ERROR: could not serialize access due to concurrent update",
    ];
    check(Refusal::Conflict, Kind::Transient, "", &conflicts);
    let ended = [
        "ERROR: Query (17) canceled on user's request",
        "ERROR: canceled on user's request",
        // What a statement that was running longer than statement_timeout says.
        "ERROR: Query (17) cancelled on user's request",
        "ERROR: Query (500029) cancelled by WLM abort action of Query Monitoring Rule \"long\".",
        "ERROR: canceling statement due to statement timeout",
        "Session is not available",
    ];
    check(Refusal::Cancelled, Kind::Transient, "", &ended);
    let busy = [
        "ERROR: S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown",
        "ERROR: Spectrum Scan Error\n  Detail: \n  context:   S3 answered SlowDown\n  query: 1",
        "ERROR: Retries exceeded",
        "ERROR: No more data to read",
        "ERROR: Disk Full",
        "ERROR: S3Query Exception Connection failed, retries exceeded.\n  Detail: \n  -----\n  code: \
         15005\n  context:   \n  query:     15067689",
        "ERROR: S3 Query Exception (Fetch)\n  Detail: \n  -----\n  code: 15001\n  context:   \
         boost::thread_resource_error: Resource temporarily unavailable\n  query:     15067266",
        "ERROR: Cannot execute query because system is in resize mode",
    ];
    check(Refusal::Unavailable, Kind::Transient, "", &busy);
    let lost = [
        "FATAL: terminating connection due to administrator command",
        "server closed the connection unexpectedly\n\tThis probably means the server terminated \
         abnormally\n\tbefore or while processing the request.",
        "ERROR: Connection reset by peer",
        "ERROR: Connection timed out",
        "FATAL: the database system is shutting down",
        "Connection or an prior query failed.",
    ];
    check(Refusal::Unavailable, Kind::Transient, "", &lost);
}

#[test]
fn what_the_database_may_not_do() {
    let denied = [
        "ERROR: permission denied for relation t",
        "ERROR: permission denied for schema s",
        "ERROR: must be owner of relation t",
    ];
    let remedy = "; grant this to the database user that runs the load";
    check(Refusal::Denied, Kind::Config, remedy, &denied);
    let bucket = [
        "ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid 1,ExtRid 2",
        // COPY of Parquet reads through another service, which the block of details quotes.
        "ERROR: Spectrum Scan Error\n  Detail: \n  context: Access Denied",
        "ERROR: S3 Query Exception (Fetch)\n  Detail: \n  context:   Task failed due to an internal \
         error. Forbidden: HTTP response error code: 403 Message: AccessDenied\n  query: 1",
    ];
    let remedy = "; let the role of --iam-role read the bucket";
    check(Refusal::BucketDenied, Kind::Config, remedy, &bucket);
    let role = [
        "ERROR: User arn:aws:redshift:x is not authorized to assume IAM Role arn:aws:iam::1:role/r",
        "ERROR: User arn:aws:redshift:x does not have ASSUMEROLE permission on IAM role \
         arn:aws:iam::1:role/r",
        "ERROR: The IAM role arn:aws:iam::1:role/r is not associated to cluster",
        "ERROR: User arn:aws:redshift:us-west-2:1:dbuser:dwhcluster/dwhuser is not authorized to \
         assume IAM Role dwhRole\n  Detail: \n  -----\n  code: 8001\n  context:   IAM Role=dwhRole\n  \
         query:     1003",
    ];
    let remedy = "; attach the role of --iam-role to the cluster, and let Redshift assume it";
    check(Refusal::RoleRefused, Kind::Config, remedy, &role);
    let password = ["FATAL: password authentication failed for user \"loader\""];
    check(Refusal::WrongPassword, Kind::Config, "", &password);
}

#[test]
fn what_is_missing() {
    let check = |missing, remedy, messages: &[&str]| {
        check(Refusal::Missing(missing), Kind::Config, remedy, messages);
    };
    let create = "; create the schema or check --schema-name";
    check(Missing::Schema, create, &["ERROR: schema \"x\" does not exist"]);
    let columns = [
        "ERROR: column \"gone\" does not exist",
        "ERROR: column \"nothing\" of relation \"t\" does not exist",
        // Redshift's block of details may name the column.
        "ERROR: \"gone\" does not exist\n  Detail: column gone",
    ];
    check(Missing::Column, "", &columns);
    let either = [
        "ERROR: column \"schema_id\" of relation \"t\" does not exist",
        "ERROR: schema \"column_store\" does not exist",
    ];
    check(Missing::SchemaOrColumn, create, &either);
    let others = [
        "ERROR: relation \"public.loader_loads\" does not exist",
        "ERROR: user \"ann\" does not exist",
        "ERROR: The specified S3 prefix 'staging/1' does not exist",
        "ERROR: S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey",
    ];
    check(Missing::Other, "", &others);
}

#[test]
fn what_another_program_was_faster_at() {
    let check = |refusal, messages: &[&str]| check(refusal, Kind::Internal, "", messages);
    let made = [
        "ERROR: Relation \"t\" already exists",
        "ERROR: column \"plugins\" of relation \"loader_loads\" already exists",
    ];
    check(Refusal::AlreadyExists, &made);
    let wide = [
        "ERROR: cannot alter column \"s\" of relation \"t\", target column size should be different",
        "ERROR: cannot decrease a VARCHAR column size with default value",
    ];
    check(Refusal::WideAlready, &wide);
    let held = [
        "ERROR: cannot drop table s.t column a because other objects depend on it",
        "ERROR: cannot alter type of a column used by a view or rule\n  Detail: rule _RETURN",
    ];
    check(Refusal::HeldByViews, &held);
}

#[test]
fn what_only_a_load_can_explain() {
    let check = |refusal, messages: &[&str]| check(refusal, Kind::Internal, "", messages);
    let mismatches = [
        "ERROR: Spectrum Scan Error\n  Detail: \n  -----\n  code: 15007\n  context: File \
         'https://s3/b/p' has an incompatible Parquet schema for column 's3://b/p.n'.",
        "File 's3://b/p' has an incompatible Parquet schema for column 's3://b/p.n'. Column type: \
         INT, Parquet schema:",
        "Unmatched number of columns between table and file. Table columns: 2, Data columns: 1",
        "ERROR: Spectrum Scan Error\n  Detail: \n  context: column x does not exist",
    ];
    check(Refusal::TypeMismatch, &mismatches);
    let guards = [
        "ERROR: division by zero",
        "ERROR: Divide by zero",
        "ERROR: Numeric data divide by zero\n  Detail: \n  -----\n  code: 1017",
    ];
    check(Refusal::Guard, &guards);
}

#[test]
fn what_no_sign_tells() {
    let others = [
        "no reason given",
        "ERROR: boom\n  Detail: \n  -----\n  code: 15007",
        "ERROR: syntax error at or near \",\"",
        "Load into table 't' failed.  Check 'stl_load_errors' system table for details.",
        // The details quote what S3 answered; no relation is missing.
        "ERROR: Spectrum Scan Error\n  Detail: \n  context: The specified key does not exist.",
    ];
    check(Refusal::Other, Kind::Internal, "", &others);
}

#[test]
fn an_explanation_is_a_sentence() {
    let error = explain("loading", &failure("ERROR: schema \"x\" does not exist"));
    insta::assert_snapshot!(error, @r#"loading failed: schema "x" does not exist; create the schema or check --schema-name (statement_id id:3)"#);
    let scan = failure(
        "ERROR: Spectrum Scan Error\n  Detail: \n  -----\n  error:  Spectrum Scan Error\n  code:      \
         15007\n  context:   File 'https://s3/b/p' has an invalid version number\n         of its \
         footer\n  query:     0\n",
    );
    insta::assert_snapshot!(explain("loading", &scan), @"loading failed: Spectrum Scan Error: File 'https://s3/b/p' has an invalid version number of its footer (statement_id id:3)");
    let scan = failure(
        "ERROR: S3 Query Exception (Fetch)\n  Detail: \n  -----\n  error:  S3 Query Exception \
         (Fetch)\n  code:      15001\n  context:   Task failed due to an internal error. The length \
         of the data column name is longer than the length defined in the table. Table: 256, \
         Data: 262\n  query:     828\n",
    );
    insta::assert_snapshot!(explain("loading", &scan), @"loading failed: S3 Query Exception (Fetch): Task failed due to an internal error. The length of the data column name is longer than the length defined in the table. Table: 256, Data: 262 (statement_id id:3)");
    assert_eq!(headline("ERROR: boom\n  Detail: \n  -----\n  code: 15007"), "boom");
}
