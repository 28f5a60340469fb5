//! Each probe fails where what it asks for is missing, and says what helps.

use std::process::Command;

use loader_tests::{Place, program, run, without_times};

use super::site::{Findings, Guarded, block, doctor, endpoints, remote_doctor};

/// A text with the month of its paths as `YYYY/MM`.
fn without_month(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("data/archive/2") {
        out.push_str(before);
        out.push_str("data/archive/YYYY/MM");
        rest = after.get("0YY/MM".len()..).unwrap_or_default();
    }
    out + rest
}

fn examined(place: &Place, more: &[&str]) -> Findings {
    Findings::of(run(&mut doctor(place, more)))
}

#[test]
fn folders_of_the_bucket_that_may_not_be_written() {
    let site = Guarded::start("orders");
    let folders = ["data/staging", "data/archive", "data/unprocessed", "data/rejected", "logs"];
    let of = |folder: &str| format!("arn:aws:s3:::orders/{folder}/*");
    site.deny(Guarded::CALLER, &["s3:PutObject"], &folders.map(of));
    let findings = site.doctor("orders", &["--only", "bucket"]);
    insta::assert_snapshot!(findings.failed(), @r#"
    data/staging/: writing s3://orders/data/staging/loader_doctor_#/one.parquet failed: AccessDenied: User: arn:aws:iam::000000000000:user/local is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::orders/data/staging/loader_doctor_#/one.parquet" because no identity-based policy allows the s3:PutObject action; the credentials in use lack this permission
        -> allow s3:PutObject and s3:DeleteObject on arn:aws:s3:::orders/data/staging/* (docs/permissions.md)
    data/archive/: copying s3://orders/data/in/loader_doctor_#/probe.csv to s3://orders/data/archive/loader_doctor_#/probe.csv failed: AccessDenied: User: arn:aws:iam::000000000000:user/local is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::orders/data/archive/loader_doctor_#/probe.csv" because no identity-based policy allows the s3:PutObject action; the credentials in use lack this permission
        -> allow s3:PutObject and s3:GetObject on arn:aws:s3:::orders/data/archive/* (docs/permissions.md)
    data/unprocessed/: copying s3://orders/data/in/loader_doctor_#/bad.csv to s3://orders/data/unprocessed/loader_doctor_#/bad.csv failed: AccessDenied: User: arn:aws:iam::000000000000:user/local is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::orders/data/unprocessed/loader_doctor_#/bad.csv" because no identity-based policy allows the s3:PutObject action; the credentials in use lack this permission
        -> allow s3:PutObject, s3:GetObject and s3:DeleteObject on arn:aws:s3:::orders/data/unprocessed/* (docs/permissions.md)
    large files: copying s3://orders/data/in/loader_doctor_#/large.csv to s3://orders/data/archive/loader_doctor_#/large.csv failed: AccessDenied: User: arn:aws:iam::000000000000:user/local is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::orders/data/archive/loader_doctor_#/large.csv" because no identity-based policy allows the s3:PutObject action; the credentials in use lack this permission
        -> allow s3:PutObject and s3:AbortMultipartUpload on arn:aws:s3:::orders/data/archive/* (docs/permissions.md)
    data/rejected/: writing s3://orders/data/rejected/loader_doctor_#/probe.txt failed: AccessDenied: User: arn:aws:iam::000000000000:user/local is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::orders/data/rejected/loader_doctor_#/probe.txt" because no identity-based policy allows the s3:PutObject action; the credentials in use lack this permission
        -> allow s3:PutObject on arn:aws:s3:::orders/data/rejected/* (docs/permissions.md)
    logs/: writing s3://orders/logs/loader_doctor_#/probe.txt failed: AccessDenied: User: arn:aws:iam::000000000000:user/local is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::orders/logs/loader_doctor_#/probe.txt" because no identity-based policy allows the s3:PutObject action; the credentials in use lack this permission
        -> allow s3:PutObject on arn:aws:s3:::orders/logs/* (docs/permissions.md)
    "#);
    site.deny(Guarded::CALLER, &["s3:PutObject"], &[of("data/in")]);
    let findings = site.doctor("orders", &["--only", "bucket,loads"]);
    insta::assert_snapshot!(findings.failed(), @r#"
    data/in/: writing s3://orders/data/in/loader_doctor_#/probe.csv failed: AccessDenied: User: arn:aws:iam::000000000000:user/local is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::orders/data/in/loader_doctor_#/probe.csv" because no identity-based policy allows the s3:PutObject action; the credentials in use lack this permission
        -> allow s3:PutObject, s3:GetObject and s3:DeleteObject on arn:aws:s3:::orders/data/in/* (docs/permissions.md)
    "#);
    insta::assert_snapshot!(findings.skipped(), @"
    data/archive/, data/unprocessed/, large files: no file could be delivered that a load would move there
    copies and loads: no file can be delivered and staged
    ");
}

/// On this machine a file may be where a folder has to be.
#[test]
fn a_folder_that_is_a_file() {
    let place = Place::new("doctor-blocked");
    block(&place, "data/staging");
    let findings = examined(&place, &["--only", "bucket"]);
    insta::assert_snapshot!(findings.failed(), @"
    data/staging/: writing s3://doctor-blocked/data/staging/loader_doctor_#/one.parquet failed: InvalidRequest: this S3 keeps objects as files, and the key `data/staging/loader_doctor_#/one.parquet` collides with another object: the same path would be a file and a folder; choose another key
        -> correct what the message names
    ");
}

#[test]
fn a_bucket_that_is_not_there() {
    let place = Place::new("doctor-no-bucket");
    let findings = examined(&place, &["--only", "bucket", "--src-bucket", "nobodys-bucket"]);
    insta::assert_snapshot!(findings.failed(), @"
    bucket: looking at the bucket nobodys-bucket failed: NotFound: no further message
        -> check --src-bucket, and allow s3:ListBucket on arn:aws:s3:::nobodys-bucket (docs/permissions.md)
    ");
    insta::assert_snapshot!(findings.skipped(), @"all folders: the bucket cannot be reached");
}

#[test]
fn permissions_in_the_bucket_that_are_missing() {
    let site = Guarded::start("orders");
    let mut text = String::new();
    for (action, resource) in [
        ("s3:ListBucket", "arn:aws:s3:::orders"),
        ("s3:GetObject", "arn:aws:s3:::orders/config/*"),
        ("s3:DeleteObject", "arn:aws:s3:::orders/data/archive/*"),
        ("s3:GetObject", "arn:aws:s3:::orders/data/in/*"),
    ] {
        site.deny(Guarded::CALLER, &[action], &[resource.to_owned()]);
        let findings = site.doctor("orders", &["--only", "bucket"]);
        text += &format!("without {action} on {resource}\n{}\n", findings.failed());
    }
    insta::assert_snapshot!(text, @r#"
    without s3:ListBucket on arn:aws:s3:::orders
    bucket: looking at the bucket orders failed with HTTP status 403
        -> check --src-bucket, and allow s3:ListBucket on arn:aws:s3:::orders (docs/permissions.md)

    without s3:GetObject on arn:aws:s3:::orders/config/*
    config/: reading s3://orders/config/view_config.json failed: AccessDenied: User: arn:aws:iam::000000000000:user/local is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::orders/config/view_config.json" because no identity-based policy allows the s3:GetObject action; the credentials in use lack this permission
        -> allow s3:GetObject on arn:aws:s3:::orders/config/* (docs/permissions.md), and s3:ListBucket

    without s3:DeleteObject on arn:aws:s3:::orders/data/archive/*
    nothing is left behind: deleting below s3://orders/data/archive/loader_doctor_#/ failed: AccessDenied: User: arn:aws:iam::000000000000:user/local is not authorized to perform: s3:DeleteObject on resource: "arn:aws:s3:::orders/data/archive/loader_doctor_#/large.csv" because no identity-based policy allows the s3:DeleteObject action; the credentials in use lack this permission
        -> delete what is below s3://orders/data/archive/loader_doctor_#/

    without s3:GetObject on arn:aws:s3:::orders/data/in/*
    data/in/: looking at s3://orders/data/in/loader_doctor_#/probe.csv (is this a valid bucket, and may you read it?) failed with HTTP status 403
        -> allow s3:PutObject, s3:GetObject and s3:DeleteObject on arn:aws:s3:::orders/data/in/* (docs/permissions.md)
    "#);
}

#[test]
fn no_credentials_at_all() {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(program());
    command.env_clear().env("HOME", home.path()).env("AWS_EC2_METADATA_DISABLED", "true");
    command.args(["doctor", "--only", "bucket", "--report", "json", "--region", "eu-west-1"]);
    command.args(["--src-bucket", "b", "--workgroup-name", "etl", "--database", "dev"]);
    let findings = Findings::of(run(command.args(["--iam-role", "default"])));
    insta::assert_snapshot!(findings.failed(), @"
    credentials: no credentials for AWS were found: the credential provider was not enabled: no credentials found in chain. Attempted:
      Environment: the credential provider was not enabled: environment variable not set
      Profile: the credential provider was not enabled
      WebIdentityToken: the credential provider was not enabled: $AWS_WEB_IDENTITY_TOKEN_FILE was not set
      EcsContainer: the credential provider was not enabled: ECS provider not configured
      Ec2InstanceMetadata: the credential provider was not enabled: IMDS disabled by AWS_EC2_METADATA_DISABLED env var set to `true`
        -> give credentials as to any AWS program: AWS_PROFILE, variables, or a role of the machine
    data api: submitting a statement failed; are there credentials for AWS?: dispatch failure: other: the credential provider was not enabled: no credentials found in chain. Attempted:
      Environment: the credential provider was not enabled: environment variable not set
      Profile: the credential provider was not enabled
      WebIdentityToken: the credential provider was not enabled: $AWS_WEB_IDENTITY_TOKEN_FILE was not set
      EcsContainer: the credential provider was not enabled: ECS provider not configured
      Ec2InstanceMetadata: the credential provider was not enabled: IMDS disabled by AWS_EC2_METADATA_DISABLED env var set to `true`
        -> check --workgroup-name, --database and --region, and allow redshift-data:ExecuteStatement and redshift-serverless:GetCredentials (docs/permissions.md)
    ");
}

#[test]
fn a_database_that_cannot_be_reached() {
    let place = Place::new("doctor-no-database");
    let only = ["--only", "warehouse"];
    let reached = |more: &[&str]| examined(&place, &[&only, more].concat()).failed();
    insta::assert_snapshot!(reached(&["--database", "nowhere"]), @r#"
    data api: asking for the version of the warehouse failed: FATAL: database "nowhere" does not exist (statement_id #)
        -> check --workgroup-name, --database and --region, and allow redshift-data:ExecuteStatement and redshift-serverless:GetCredentials (docs/permissions.md)
    "#);
    insta::assert_snapshot!(reached(&["--workgroup-name", "No Name"]), @"
    data api: submitting a statement failed: ValidationException: 1 validation error detected: Value 'No Name' at 'workgroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: (([a-z0-9-]{3,63})|(arn:.*))
        -> check --workgroup-name, --database and --region, and allow redshift-data:ExecuteStatement and redshift-serverless:GetCredentials (docs/permissions.md)
    ");
    insta::assert_snapshot!(reached(&["--cluster-identifier", "c", "--db-user", "nobody"]), @r#"
    data api: asking for the version of the warehouse failed: FATAL: user "nobody" does not exist (statement_id #)
        -> check --cluster-identifier and --db-user, --database and --region, and allow redshift-data:ExecuteStatement and redshift:GetClusterCredentials (docs/permissions.md)
    "#);
    let nobody_listens = "http://127.0.0.1:1";
    let mut command = remote_doctor(&place, &endpoints().s3, nobody_listens, &only);
    let findings = Findings::of(run(&mut command));
    insta::assert_snapshot!(findings.failed(), @"
    data api: submitting a statement got no answer: dispatch failure: io error: client error (Connect): tcp connect error: Connection refused (os error 111)
        -> check the network and the Region (us-east-1)
    ");
}

#[test]
fn permissions_of_the_data_api_that_are_missing() {
    let site = Guarded::start("orders");
    let mut text = String::new();
    for (more, action) in [
        (&[][..], "redshift-serverless:GetCredentials"),
        (&["--cluster-identifier", "c"][..], "redshift:GetClusterCredentialsWithIAM"),
        (&["--cluster-identifier", "c", "--db-user", "u"][..], "redshift:GetClusterCredentials"),
        (
            &["--secret-arn", "arn:aws:secretsmanager:us-east-1:1:secret:s"][..],
            "secretsmanager:GetSecretValue",
        ),
    ] {
        site.deny(Guarded::CALLER, &[action], &["*".to_owned()]);
        let findings = site.doctor("orders", &[&["--only", "warehouse"], more].concat());
        text += &format!("without {action}\n{}\n", findings.failed());
    }
    insta::assert_snapshot!(text, @r#"
    without redshift-serverless:GetCredentials
    data api: submitting a statement failed: AccessDeniedException: User: arn:aws:iam::000000000000:user/local is not authorized to perform: redshift-serverless:GetCredentials on resource: "arn:aws:redshift-serverless:us-east-1:000000000000:workgroup/local" because no identity-based policy allows the redshift-serverless:GetCredentials action; the credentials in use lack this permission
        -> check --workgroup-name, --database and --region, and allow redshift-data:ExecuteStatement and redshift-serverless:GetCredentials (docs/permissions.md)

    without redshift:GetClusterCredentialsWithIAM
    data api: submitting a statement failed: AccessDeniedException: User: arn:aws:iam::000000000000:user/local is not authorized to perform: redshift:GetClusterCredentialsWithIAM on resource: "arn:aws:redshift:us-east-1:000000000000:dbname:c/dev" because no identity-based policy allows the redshift:GetClusterCredentialsWithIAM action; the credentials in use lack this permission
        -> check --cluster-identifier, --database and --region, and allow redshift-data:ExecuteStatement and redshift:GetClusterCredentialsWithIAM (docs/permissions.md)

    without redshift:GetClusterCredentials
    data api: submitting a statement failed: AccessDeniedException: User: arn:aws:iam::000000000000:user/local is not authorized to perform: redshift:GetClusterCredentials on resource: "arn:aws:redshift:us-east-1:000000000000:dbuser:c/u" because no identity-based policy allows the redshift:GetClusterCredentials action; the credentials in use lack this permission
        -> check --cluster-identifier and --db-user, --database and --region, and allow redshift-data:ExecuteStatement and redshift:GetClusterCredentials (docs/permissions.md)

    without secretsmanager:GetSecretValue
    data api: submitting a statement failed: AccessDeniedException: User: arn:aws:iam::000000000000:user/local is not authorized to perform: secretsmanager:GetSecretValue on resource: "arn:aws:secretsmanager:us-east-1:1:secret:s" because no identity-based policy allows the secretsmanager:GetSecretValue action; the credentials in use lack this permission
        -> check --workgroup-name, --database and --region, and allow redshift-data:ExecuteStatement and secretsmanager:GetSecretValue (docs/permissions.md)
    "#);
}

/// A user of the place's own, who may do what the statements grant.
fn user(place: &Place, name: &str, grants: &[&str]) -> String {
    let user = format!("{}_{name}", place.schema());
    place.execute(&format!("CREATE USER {user} PASSWORD DISABLE"));
    for grant in grants {
        place.execute(&grant.replace("{u}", &user));
    }
    user
}

#[test]
fn rights_in_the_database_that_are_missing() {
    let place = Place::new("doctor-rights");
    place.put("orders.csv", "id,note\n1,a\n");
    let _ = place.load("orders.csv", "orders", &["--upsert-keys", "id"]).succeeded();
    let usage = "GRANT USAGE ON SCHEMA {s} TO {u}";
    let users = [
        user(&place, "nothing", &[]),
        user(&place, "usage", &[usage]),
        user(&place, "readers", &[usage, "GRANT SELECT ON ALL TABLES IN SCHEMA {s} TO {u}"]),
    ];
    let mut text = String::new();
    for user in users {
        let as_user = ["--only", "rights", "--cluster-identifier", "c", "--db-user", &user];
        let target = ["--target-table", "orders", "--upsert-keys", "id"];
        let findings = examined(&place, &[&as_user[..], &target].concat());
        text += &format!("as {user}\n{}\n", findings.failed());
    }
    insta::assert_snapshot!(text, @r#"
    as doctor_rights_nothing
    schema: looking into the schema failed: permission denied for schema doctor_rights; grant this to the database user that runs the load (statement_id #)
        -> GRANT USAGE ON SCHEMA "doctor_rights" TO "doctor_rights_nothing"

    as doctor_rights_usage
    new tables: making a table failed: permission denied for schema doctor_rights; grant this to the database user that runs the load (statement_id #)
        -> GRANT CREATE ON SCHEMA "doctor_rights" TO "doctor_rights_usage"
    loader_loads: using doctor_rights.loader_loads failed: permission denied for relation loader_loads; grant this to the database user that runs the load (statement_id #)
        -> GRANT SELECT ON TABLE "doctor_rights"."loader_loads" TO "doctor_rights_usage"
    job_sts: using doctor_rights.job_sts failed: permission denied for relation job_sts; grant this to the database user that runs the load (statement_id #)
        -> GRANT INSERT ON TABLE "doctor_rights"."job_sts" TO "doctor_rights_usage"
    loader_dropped_views: using doctor_rights.loader_dropped_views failed: permission denied for relation loader_dropped_views; grant this to the database user that runs the load (statement_id #)
        -> GRANT SELECT ON TABLE "doctor_rights"."loader_dropped_views" TO "doctor_rights_usage"
    loader_fence_orders: using doctor_rights.loader_fence_orders failed: permission denied for relation loader_fence_orders; grant this to the database user that runs the load (statement_id #)
        -> GRANT UPDATE ON TABLE "doctor_rights"."loader_fence_orders" TO "doctor_rights_usage"
    target: select: using doctor_rights.orders failed: permission denied for relation orders; grant this to the database user that runs the load (statement_id #)
        -> GRANT SELECT ON TABLE "doctor_rights"."orders" TO "doctor_rights_usage"
    target: insert: using doctor_rights.orders failed: permission denied for relation orders; grant this to the database user that runs the load (statement_id #)
        -> GRANT INSERT ON TABLE "doctor_rights"."orders" TO "doctor_rights_usage"
    target: delete: using doctor_rights.orders failed: permission denied for relation orders; grant this to the database user that runs the load (statement_id #)
        -> GRANT DELETE ON TABLE "doctor_rights"."orders" TO "doctor_rights_usage"
    target: update: using doctor_rights.orders failed: permission denied for relation orders; grant this to the database user that runs the load (statement_id #)
        -> GRANT UPDATE ON TABLE "doctor_rights"."orders" TO "doctor_rights_usage"
    target: alter: doctor_rights.orders belongs to loader, so files with new columns or longer texts fail
        -> ALTER TABLE "doctor_rights"."orders" OWNER TO "doctor_rights_usage"; or load with --schema-policy freeze

    as doctor_rights_readers
    new tables: making a table failed: permission denied for schema doctor_rights; grant this to the database user that runs the load (statement_id #)
        -> GRANT CREATE ON SCHEMA "doctor_rights" TO "doctor_rights_readers"
    loader_loads: using doctor_rights.loader_loads failed: permission denied for relation loader_loads; grant this to the database user that runs the load (statement_id #)
        -> GRANT INSERT ON TABLE "doctor_rights"."loader_loads" TO "doctor_rights_readers"
    job_sts: using doctor_rights.job_sts failed: permission denied for relation job_sts; grant this to the database user that runs the load (statement_id #)
        -> GRANT INSERT ON TABLE "doctor_rights"."job_sts" TO "doctor_rights_readers"
    loader_dropped_views: using doctor_rights.loader_dropped_views failed: permission denied for relation loader_dropped_views; grant this to the database user that runs the load (statement_id #)
        -> GRANT INSERT ON TABLE "doctor_rights"."loader_dropped_views" TO "doctor_rights_readers"
    loader_fence_orders: using doctor_rights.loader_fence_orders failed: permission denied for relation loader_fence_orders; grant this to the database user that runs the load (statement_id #)
        -> GRANT UPDATE ON TABLE "doctor_rights"."loader_fence_orders" TO "doctor_rights_readers"
    target: insert: using doctor_rights.orders failed: permission denied for relation orders; grant this to the database user that runs the load (statement_id #)
        -> GRANT INSERT ON TABLE "doctor_rights"."orders" TO "doctor_rights_readers"
    target: delete: using doctor_rights.orders failed: permission denied for relation orders; grant this to the database user that runs the load (statement_id #)
        -> GRANT DELETE ON TABLE "doctor_rights"."orders" TO "doctor_rights_readers"
    target: update: using doctor_rights.orders failed: permission denied for relation orders; grant this to the database user that runs the load (statement_id #)
        -> GRANT UPDATE ON TABLE "doctor_rights"."orders" TO "doctor_rights_readers"
    target: alter: doctor_rights.orders belongs to loader, so files with new columns or longer texts fail
        -> ALTER TABLE "doctor_rights"."orders" OWNER TO "doctor_rights_readers"; or load with --schema-policy freeze
    "#);
}

#[test]
fn who_else_writes_the_loaders_own_tables_is_told() {
    let place = Place::new("doctor-writers");
    place.put("orders.csv", "id,note\n1,a\n");
    let _ = place.load("orders.csv", "orders", &["--upsert-keys", "id"]).succeeded();
    let only = ["--only", "rights", "--target-table", "orders", "--upsert-keys", "id"];
    let writers = || examined(&place, &only).saying("who else writes");
    insta::assert_snapshot!(writers(), @"passed: only superusers, as far as the user can see");
    // Others are meant to write the audit table.
    place.execute("GRANT INSERT ON {s}.job_sts TO PUBLIC");
    place.execute("GRANT INSERT ON {s}.loader_loads TO PUBLIC");
    let etl = user(&place, "etl", &["GRANT DELETE ON {s}.loader_fence_orders TO {u}"]);
    place.execute(&format!("ALTER TABLE {{s}}.loader_dropped_views OWNER TO {etl}"));
    insta::assert_snapshot!(writers(), @"told: owner doctor_writers_etl (loader_dropped_views), user doctor_writers_etl (loader_fence_orders), PUBLIC (loader_loads); only loads should write these tables (a row in loader_loads makes a file count as loaded), so REVOKE what is not meant");
}

#[test]
fn a_schema_or_a_target_that_cannot_be_used() {
    let place = Place::new("doctor-target");
    place.execute("CREATE TABLE {s}.t (n INTEGER)");
    place.execute("CREATE VIEW {s}.v AS SELECT n FROM {s}.t");
    let only = ["--only", "rights"];
    let examined = |more: &[&str]| examined(&place, &[&only, more].concat()).failed();
    insta::assert_snapshot!(examined(&["--schema-name", "nowhere"]), @r#"
    schema: there is no schema nowhere
        -> check --schema-name, or make it: CREATE SCHEMA "nowhere"
    "#);
    insta::assert_snapshot!(examined(&["--target-table", "v"]), @"
    target: doctor_target.v is a view, and rows are loaded into tables only; name the table that it reads, or another one
        -> name a table that a load can fill
    ");
}

#[test]
fn no_schema_to_work_in() {
    let place = Place::new("doctor-no-scratch");
    place.execute("CREATE TABLE {s}.t (n INTEGER)");
    let user = user(&place, "u", &[]);
    let schema = place.schema();
    let mut text = String::new();
    for more in [
        &["--cluster-identifier", "c", "--db-user", &user][..],
        &["--scratch-schema", "nowhere"][..],
        &["--scratch-schema", &schema][..],
    ] {
        let findings = examined(&place, &[&["--only", "loads,refusals"], more].concat());
        text += &format!("{}{}\n", findings.failed(), findings.skipped());
    }
    insta::assert_snapshot!(text, @r#"
    schema to work in: making a schema failed: permission denied for database dev; grant this to the database user that runs the load (statement_id #)
        -> GRANT CREATE ON DATABASE "dev" TO "doctor_no_scratch_u"; or name an empty schema of the user's own with --scratch-schema
    all: there is no schema to work in
    all: there is no schema to work in

    schema to work in: there is no schema nowhere
        -> CREATE SCHEMA "nowhere"
    all: there is no schema to work in
    all: there is no schema to work in

    schema to work in: doctor_no_scratch is not empty: it has t
        -> name an empty schema with --scratch-schema; all that is in it would be dropped
    all: there is no schema to work in
    all: there is no schema to work in
    "#);
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "0");
}

#[test]
fn a_schema_to_work_in_where_nothing_may_be_made() {
    let place = Place::new("doctor-no-tables");
    place.execute("CREATE SCHEMA {s}_empty");
    let schema = format!("{}_empty", place.schema());
    let user = user(&place, "u", &["GRANT USAGE ON SCHEMA {s}_empty TO {u}"]);
    let as_user = ["--cluster-identifier", "c", "--db-user", &user];
    let only = ["--only", "refusals", "--scratch-schema", &schema];
    insta::assert_snapshot!(examined(&place, &[&only[..], &as_user].concat()).failed(), @"
    table to provoke with: making a table and a view failed: permission denied for schema doctor_no_tables_empty; grant this to the database user that runs the load (statement_id #)
        -> correct what the message names
    ");
}

#[test]
fn a_role_that_may_not_read_and_a_bucket_that_may_not_be_cleaned() {
    let site = Guarded::start("orders");
    site.deny(Guarded::ROLE, &["s3:GetObject"], &["*".to_owned()]);
    let findings = site.doctor("orders", &["--only", "loads"]);
    insta::assert_snapshot!(findings.failed(), @"
    copy of parquet, snappy: copying the staged parts failed: S3ServiceException:Access Denied,Status 403,Error AccessDenied; let the role of --iam-role read the bucket (statement_id #)
        -> attach arn:aws:iam::000000000000:role/local to the warehouse, let Redshift assume it, and let it read s3://orders/data/staging/ (docs/permissions.md)
    ");
    site.deny(Guarded::ROLE, &[], &[]);
    let archive = "arn:aws:s3:::orders/data/archive/*".to_owned();
    site.deny(Guarded::CALLER, &["s3:DeleteObject"], &[archive]);
    let findings = site.doctor("orders", &["--only", "loads"]);
    insta::assert_snapshot!(without_times(&without_month(&findings.failed())), @r#"
    nothing is left behind: deleting below s3://orders/data/archive/YYYY/MM/loader_doctor_#/ failed: AccessDenied: User: arn:aws:iam::000000000000:user/local is not authorized to perform: s3:DeleteObject on resource: "arn:aws:s3:::orders/data/archive/YYYY/MM/loader_doctor_#/evolve_#.csv" because no identity-based policy allows the s3:DeleteObject action; the credentials in use lack this permission
        -> delete what is below s3://orders/data/archive/YYYY/MM/loader_doctor_#/
    "#);
}

#[test]
fn a_user_who_may_make_no_temporary_tables() {
    let place = Place::new("doctor-no-temp");
    let database = format!("{}_db", place.schema());
    place.execute(&format!("CREATE DATABASE {database}"));
    place.execute(&format!("REVOKE TEMP ON DATABASE {database} FROM PUBLIC"));
    let user = user(&place, "u", &[]);
    let as_user = ["--cluster-identifier", "c", "--db-user", &user, "--database", &database];
    let findings = examined(&place, &[&["--only", "warehouse"], &as_user[..]].concat());
    insta::assert_snapshot!(findings.failed(), @r#"
    sessions: making a temporary table failed: permission denied to create temporary tables in database "doctor_no_temp_db"; grant this to the database user that runs the load (statement_id #)
        -> GRANT TEMP ON DATABASE "doctor_no_temp_db" TO "doctor_no_temp_u"
    "#);
}
