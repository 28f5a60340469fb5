//! Statements in, PostgreSQL or refusals out.

use super::{Action, prepare};

fn outcome(sql: &str) -> String {
    match prepare(sql) {
        Err(error) => error.to_string(),
        Ok(prepared) => {
            let action = match prepared.action {
                Action::Query(text) => format!("query: {text}"),
                Action::Command(text)
                | Action::Write { text, .. }
                | Action::Authorization(text) => text,
                Action::CreateWithKeys { keys, create } => format!("{keys}; {create}"),
                Action::CommittingCommand(text) => format!("commits: {text}"),
                Action::Apart(texts) => format!("apart: {}", texts.join("; ")),
                Action::Begin { is_read_only } => format!("begin, read only: {is_read_only}"),
                Action::End(text) => format!("end: {text}"),
                Action::DropDatabase { name } => format!("drop database {name}"),
                Action::Copy(_) => "copy".to_owned(),
                Action::Nothing => "nothing".to_owned(),
            };
            match prepared.outside_transactions {
                Some(refusal) => format!("{action} [not in a block: {refusal}]"),
                None => action,
            }
        }
    }
}

/// Pairs of a statement and its outcome; all differences at once.
fn check(cases: &[(&str, &str)]) {
    let differences: Vec<String> = cases
        .iter()
        .filter_map(|(sql, expected)| {
            let found = outcome(sql);
            (found != *expected)
                .then(|| format!("{sql}\n  expected: {expected}\n  found:    {found}"))
        })
        .collect();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn create_table() {
    check(&[
        (
            "CREATE TABLE \"S\".\"T\" (\"Id\" BIGINT NOT NULL ENCODE az64 DISTKEY, a TEXT, PRIMARY \
             KEY (id)) DISTSTYLE KEY COMPOUND SORTKEY (id)",
            "SELECT set_config('loader_local.declared_keys', \
             E'{\"dist_style\":\"KEY\",\"dist_key\":\"id\",\"sort_style\":\"COMPOUND\",\"sort_key\":[\"id\"],\"encodings\":{\"id\":\"az64\"},\"constraints\":[{\"kind\":\"p\",\"columns\":[\"id\"]}]}', \
             true); CREATE TABLE \"s\".\"t\" (\"id\" bigint NOT NULL, \"a\" varchar(256))",
        ),
        (
            "create temp table stage (like t including defaults, n bigint)",
            "SELECT set_config('loader_local.declared_keys', E'{\"like\":\"\\\\\"t\\\\\"\"}', \
             true); CREATE TEMPORARY TABLE \"stage\" (LIKE \"t\" INCLUDING CONSTRAINTS INCLUDING \
             DEFAULTS, \"n\" bigint)",
        ),
        (
            "create table if not exists #x (a varchar(max) default 'it''s, ok' not null, b \
             decimal, c float(10) unique)",
            "SELECT set_config('loader_local.declared_keys', \
             E'{\"constraints\":[{\"kind\":\"u\",\"columns\":[\"c\"]}]}', true); CREATE TEMPORARY \
             TABLE IF NOT EXISTS \"#x\" (\"a\" varchar(65535) DEFAULT E'it\\'s, ok' NOT NULL, \
             \"b\" numeric(18,0), \"c\" real)",
        ),
        (
            "create table t (id int identity(1, 2), a timestamptz, b character varying(7), c \
             double precision null)",
            "CREATE TABLE \"t\" (\"id\" integer GENERATED ALWAYS AS IDENTITY (START WITH 1 \
             INCREMENT BY 2 MINVALUE 1), \"a\" timestamp with time zone, \"b\" varchar(7), \"c\" \
             double precision)",
        ),
        (
            "create table t distkey(a) as select getdate() as a, nvl(b, 0) from dev.public.u",
            "SELECT set_config('loader_local.declared_keys', \
             E'{\"dist_style\":\"KEY\",\"dist_key\":\"a\"}', true); CREATE TABLE \"t\" AS SELECT \
             getdate() AS a, coalesce(b, 0) FROM public.u",
        ),
        (
            "create table t (a, b) as (select 1, 2)",
            "CREATE TABLE \"t\" (\"a\", \"b\") AS (SELECT 1, 2)",
        ),
        (
            "create table t (a int, a2 int check (a > 0))",
            "ERROR: CHECK constraints are not supported",
        ),
        ("create table t (a hstore)", "ERROR: column has unsupported type \"hstore\""),
        ("create table t (a nosuch)", "ERROR: type \"nosuch\" does not exist"),
        ("create table t (a varchar(70000))", "ERROR: length for type varchar cannot exceed 65535"),
        ("create table t (a int[])", "ERROR: column has unsupported type \"int[]\""),
        (
            "create table t (oid int)",
            "ERROR: column name \"oid\" conflicts with a system column name",
        ),
        ("create table t (a int", "ERROR: syntax error at end of input"),
        ("create table t (order int)", "ERROR: syntax error at or near \"order\"\n  Position: 17"),
        ("create table s.order (\"user\" int)", "CREATE TABLE \"s\".\"order\" (\"user\" integer)"),
        (
            "create unlogged table t (a int)",
            "ERROR: syntax error at or near \"unlogged\"\n  Position: 8\n  Hint: Amazon Redshift \
             has no such object (no indexes, sequences, triggers, types, extensions)",
        ),
    ]);
}

#[test]
fn alter_table() {
    check(&[
        (
            "ALTER TABLE s.t ADD COLUMN \"New\" VARCHAR(1024) ENCODE zstd",
            "ALTER TABLE \"s\".\"t\" ADD COLUMN \"new\" varchar(1024); CALL \
             loader_local.alter_keys(E'\"s\".\"t\"'::regclass, \
             loader_local.resolved(E'{\"encodings\":{\"new\":\"zstd\"}}'))",
        ),
        (
            "alter table t alter column c type varchar(1024)",
            "CALL loader_local.alter_varchar(E'\"t\"'::regclass, E'c', 1024) [not in a block: \
             ALTER TABLE ALTER COLUMN cannot run inside a transaction block]",
        ),
        (
            "alter table t add primary key (a)",
            "CALL loader_local.alter_keys(E'\"t\"'::regclass, \
             loader_local.resolved(E'{\"constraints\":[{\"kind\":\"p\",\"columns\":[\"a\"]}]}'))",
        ),
        ("alter table t drop column c cascade", "ALTER TABLE \"t\" DROP COLUMN \"c\" CASCADE"),
        ("alter table t rename to \"U\"", "ALTER TABLE \"t\" RENAME TO \"u\""),
        (
            "alter table t alter sortkey (a, b)",
            "CALL loader_local.alter_keys(E'\"t\"'::regclass, \
             loader_local.resolved(E'{\"sort_style\":\"COMPOUND\",\"sort_key\":[\"a\",\"b\"]}'))",
        ),
        (
            "alter table t append from u",
            "ERROR: ALTER TABLE APPEND is not supported by the local stand-in (Amazon Redshift has \
             it)",
        ),
        (
            "alter table t add a int unique",
            "ERROR: ALTER TABLE ADD COLUMN does not support columns defined with UNIQUE or PRIMARY \
             KEY constraints",
        ),
        (
            "alter table t alter column c type text using c::text",
            "ERROR: ALTER TABLE ALTER COLUMN does not support USING expression",
        ),
    ]);
}

#[test]
fn queries() {
    check(&[
        (
            "select top 3 \"A\", 'a\\\\b' from T where b = 'x''''y';",
            "query: SELECT \"a\", E'a\\\\b' FROM T WHERE b = E'x\\'\\'y' LIMIT 3",
        ),
        (
            "select dateadd(day, 1, d), datediff(month, a, b), sysdate, x::numeric, \
             y::varchar(max) from pg_catalog.svv_columns",
            "query: SELECT dateadd('day', 1, d), datediff('month', a, b), sysdate(), \
             x::NUMERIC(18,0), y::VARCHAR(65535) FROM loader_local.svv_columns",
        ),
        (
            "insert into t (a) select count(*) from #tmp",
            "INSERT INTO t (a) SELECT count(*) FROM \"#tmp\"",
        ),
        (
            "delete from s.t using stage where s.t.a = stage.a",
            "DELETE FROM s.t USING stage WHERE s.t.a = stage.a",
        ),
        (
            "merge into t using \"S\" as x on t.a = x.a when matched then delete when not matched \
             then insert (a) values (x.a)",
            "MERGE INTO t USING \"s\" AS x ON (t.a = x.a) AND \
             loader_local.is_merge_source(E'\"s\"'::REGCLASS) WHEN MATCHED THEN DELETE WHEN NOT \
             MATCHED THEN INSERT (a) VALUES (x.a)",
        ),
        ("truncate t", "commits: TRUNCATE t"),
        (
            "create or replace view S.\"V\" (\"A\") as select top 1 a in (1, 2) from s.t",
            "CALL loader_local.create_view(E'\"s\".\"v\"', true, ARRAY[E's.t']::text[], E'CREATE \
             OR REPLACE VIEW \"s\".\"v\" (\"a\") AS SELECT ((a) = (1) OR (a) = (2)) FROM s.t LIMIT \
             1')",
        ),
        (
            "create view s.v as\nselect getdate() from s.t\n with no schema binding;",
            "CALL loader_local.create_late_binding_view(E'\"s\".\"v\"', false, E'create view s.v \
             as\nselect getdate() from s.t\n with no schema binding', E'SELECT getdate() FROM \
             s.t')",
        ),
        (
            "create view v as with t as (select 1 as a) select * from t, s.t with no schema \
             binding",
            "CALL loader_local.create_late_binding_view(E'\"v\"', false, E'create view v as with t \
             as (select 1 as a) select * from t, s.t with no schema binding', E'WITH t AS (SELECT \
             1 AS a) SELECT * FROM t, s.t')",
        ),
        (
            "create view s.v as select * from s.t, svv_columns with no schema binding",
            "ERROR: All the relation names inside should be qualified when creating VIEW WITH NO \
             SCHEMA BINDING.",
        ),
        (
            "create view s.v as\nselect from from s.t",
            "ERROR: syntax error at or near \"from\"\n  Position: 32",
        ),
        (
            "create materialized view m backup no distkey(a) auto refresh yes as select a from t",
            "CALL loader_local.create_materialized_view(E'\"m\"', ARRAY[E't']::text[], E'create \
             materialized view m backup no distkey(a) auto refresh yes as select a from t', \
             E'SELECT a FROM t')",
        ),
        (
            "create materialized view m as select a from t order by a",
            "ERROR: a materialized view cannot have ORDER BY, LIMIT or OFFSET",
        ),
        ("refresh materialized view \"S\".m", "REFRESH MATERIALIZED VIEW \"s\".\"m\""),
        (
            "create view if not exists v as select 1",
            "ERROR: syntax error at or near \"not\"\n  Position: 16",
        ),
        (
            "select a from t qualify row_number() over (order by a) = 1",
            "ERROR: QUALIFY is not supported by the local stand-in (Amazon Redshift has it)",
        ),
        (
            "select a is distinct from b from t",
            "ERROR: syntax error at or near \"DISTINCT\"\n  Hint: Amazon Redshift has no IS \
             DISTINCT FROM",
        ),
        (
            "select string_agg(a, ',') from t",
            "ERROR: function string_agg does not exist in Amazon Redshift",
        ),
        (
            "select * from t, lateral (select 1) as x",
            "ERROR: syntax error at or near \"LATERAL\"\n  Hint: Amazon Redshift has no LATERAL",
        ),
        (
            "update t set a = 1 returning a",
            "ERROR: syntax error at or near \"RETURNING\"\n  Hint: Amazon Redshift has no \
             RETURNING",
        ),
        ("truncate t cascade", "ERROR: syntax error at or near \"cascade\"\n  Position: 12"),
        ("select 'open", "ERROR: unterminated quoted string"),
        ("table t", "ERROR: syntax error at or near \"table\"\n  Position: 1"),
    ]);
}

#[test]
fn identities_and_grants() {
    check(&[
        (
            "create user \"Ann\" with password 'x' createuser in group a, b valid until 'infinity' \
             syslog access unrestricted",
            "CREATE ROLE \"ann\" ADMIN loader_local LOGIN CREATEROLE VALID UNTIL E'infinity' IN ROLE \
             \"group:a\", \"group:b\"; GRANT pg_read_all_stats TO \"ann\"; CALL \
             loader_local.change_superuser(E'ann', true)",
        ),
        ("alter group g drop user a, b", "REVOKE \"group:g\" FROM \"a\", \"b\""),
        (
            "drop role r force",
            "CALL loader_local.before_drop(E'role:r', true); DROP OWNED BY \"role:r\"; DROP ROLE \
             \"role:r\"",
        ),
        (
            "grant select, update on s.t to a with grant option, group g, b, role r, public",
            "GRANT SELECT, UPDATE ON TABLE \"s\".\"t\" TO \"group:g\", \"b\", \"role:r\", PUBLIC; \
             GRANT SELECT, UPDATE ON TABLE \"s\".\"t\" TO \"a\" WITH GRANT OPTION",
        ),
        (
            "revoke grant option for drop on t from a cascade",
            "CALL loader_local.record_privileges(E'revoke option', \
             ARRAY[E'\"t\"'::regclass]::oid[], false, ARRAY[E'DROP'], ARRAY[E'a'], false)",
        ),
        (
            "grant usage on language sql to a",
            "ERROR: GRANT and REVOKE ON LANGUAGE is not supported by the local stand-in (Amazon \
             Redshift has it)",
        ),
        (
            "create user \"group:g\" password disable",
            "ERROR: user name \"group:g\", which begins with \"group:\" or \"role:\", is not \
             supported by the local stand-in (Amazon Redshift has it)",
        ),
        ("set session authorization ann", "CALL loader_local.set_session_authorization(E'ann')"),
        ("reset session authorization", "CALL loader_local.set_session_authorization(NULL)"),
    ]);
}

#[test]
fn everything_else() {
    check(&[
        ("LOCK TABLE a, \"B\".c", "LOCK TABLE \"a\", \"b\".\"c\" IN ACCESS EXCLUSIVE MODE"),
        ("lock a nowait", "ERROR: syntax error at or near \"nowait\"\n  Position: 8"),
        ("begin isolation level serializable read only", "begin, read only: true"),
        ("END TRANSACTION", "end: COMMIT"),
        ("vacuum full t", "nothing [not in a block: VACUUM cannot run inside a transaction block]"),
        ("analyze compression t", "nothing"),
        ("set query_group to 'x'", "nothing"),
        ("set statement_timeout to 5", "set statement_timeout to 5"),
        (
            "set enable_case_sensitive_identifier to true",
            "ERROR: enable_case_sensitive_identifier is not supported by the local stand-in \
             (Amazon Redshift has it)",
        ),
        (
            "show enable_case_sensitive_identifier",
            "query: SELECT 'off' AS enable_case_sensitive_identifier",
        ),
        ("drop table if exists \"A b\", c cascade", "DROP TABLE IF EXISTS \"a b\", \"c\" CASCADE"),
        ("drop materialized view if exists a.b", "DROP MATERIALIZED VIEW IF EXISTS \"a\".\"b\""),
        (
            "comment on column dev.S.T.\"C\" is 'it''s'",
            "COMMENT ON COLUMN \"s\".\"t\".\"c\" IS E'it''s'",
        ),
        ("comment on table t is null", "COMMENT ON TABLE \"t\" IS NULL"),
        (
            "comment on view S.v is ''",
            "CALL loader_local.comment_on_view(E'\"s\".\"v\"'::regclass, E'')",
        ),
        (
            "comment on column c is 'x'",
            "ERROR: column name must be qualified\n  Hint: Use table.column.",
        ),
        (
            "create database \"D\" with owner = ann isolation level serializable",
            "apart: CREATE DATABASE \"d\" OWNER \"ann\"; ALTER DATABASE \"d\" SET \
             default_transaction_isolation TO 'serializable' [not in a block: CREATE DATABASE \
             cannot run inside a transaction block]",
        ),
        (
            "alter database d isolation level snapshot",
            "ALTER DATABASE \"d\" RESET default_transaction_isolation [not in a block: ALTER \
             DATABASE cannot run inside a transaction block]",
        ),
        (
            "alter database d isolation level read committed",
            "ERROR: syntax error at or near \"read\"\n  Position: 34",
        ),
        ("drop index i", "ERROR: syntax error at or near \"index\"\n  Position: 6"),
        ("explain select top 1 a from t", "query: EXPLAIN SELECT a FROM t LIMIT 1"),
        (
            "show tables from schema dev.public",
            "ERROR: SHOW TABLES is not supported by the local stand-in (Amazon Redshift has it)",
        ),
        ("do $$ begin end $$", "ERROR: syntax error at or near \"do\"\n  Position: 1"),
        ("select 1; select 2", "ERROR: cannot insert multiple commands into a prepared statement"),
        ("-- nothing", "ERROR: syntax error at end of input\n  Hint: the statement is empty"),
    ]);
}
