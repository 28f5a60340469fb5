-- What PostgreSQL lacks beside Redshift: system tables and views, functions, and VARCHAR lengths in bytes.

-- Load errors outlive the transaction of their COPY: the server writes them after that transaction has ended (src/data_api/history.rs).
CREATE TABLE IF NOT EXISTS loader_local.load_errors (
    query_id bigint, session_id integer, table_id bigint, table_name text, start_time timestamp, file_name varchar, line_number bigint,
    column_name varchar, column_type varchar, column_length varchar, position integer, error_code integer, error_message varchar,
    raw_line varchar, raw_field_value varchar);
CREATE TABLE IF NOT EXISTS loader_local.loads (
    query_id bigint, session_id integer, status varchar, table_name varchar, start_time timestamp, end_time timestamp,
    data_source varchar, file_format varchar, loaded_rows bigint, source_file_count integer, source_file_bytes bigint, error_count bigint);
CREATE TABLE IF NOT EXISTS loader_local.queries (
    query_id bigint, session_id integer, query_type varchar, status varchar, start_time timestamp, end_time timestamp,
    error_message varchar, returned_rows bigint, query_text varchar);
-- The session of each user adds to these tables, and the views show a user their own rows.
ALTER TABLE loader_local.load_errors ADD COLUMN IF NOT EXISTS user_id integer NOT NULL DEFAULT loader_local.user_id();
ALTER TABLE loader_local.loads ADD COLUMN IF NOT EXISTS user_id integer NOT NULL DEFAULT loader_local.user_id();
ALTER TABLE loader_local.queries ADD COLUMN IF NOT EXISTS user_id integer NOT NULL DEFAULT loader_local.user_id();
GRANT INSERT ON loader_local.load_errors, loader_local.loads, loader_local.queries TO PUBLIC;

CREATE OR REPLACE VIEW loader_local.sys_load_error_detail AS
    SELECT user_id, query_id, query_id AS transaction_id, session_id, current_database()::char(64) AS database_name, table_id,
        start_time, file_name::char(256), line_number, column_name::char(127), column_type::char(10), column_length::char(10), position,
        error_code, error_message::char(512)
    FROM loader_local.load_errors WHERE loader_local.sees(user_id::oid, user_id::oid);
CREATE OR REPLACE VIEW loader_local.stl_load_errors AS
    SELECT user_id AS userid, 0 AS slice, table_id AS tbl, start_time AS starttime, session_id AS session, query_id AS query,
        file_name::char(256) AS filename, line_number, column_name::char(127) AS colname, column_type::char(10) AS type,
        column_length::char(10) AS col_length, position, raw_line::char(1024), raw_field_value::char(1024), error_code AS err_code,
        error_message::char(100) AS err_reason
    FROM loader_local.load_errors WHERE loader_local.sees(user_id::oid, user_id::oid);
CREATE OR REPLACE VIEW loader_local.sys_load_history AS
    SELECT user_id, query_id, query_id AS transaction_id, session_id, current_database()::varchar AS database_name, status,
        table_name, start_time, end_time, (extract(epoch FROM end_time - start_time) * 1000000)::bigint AS duration, data_source,
        file_format, loaded_rows, source_file_count, source_file_bytes, error_count
    FROM loader_local.loads WHERE loader_local.sees(user_id::oid, user_id::oid);
CREATE OR REPLACE VIEW loader_local.sys_query_history AS
    SELECT user_id, query_id, 'default'::varchar AS query_label, query_id AS transaction_id, session_id,
        current_database()::varchar AS database_name, query_type, status, false AS result_cache_hit, start_time, end_time,
        (extract(epoch FROM end_time - start_time) * 1000000)::bigint AS elapsed_time, 0::bigint AS queue_time,
        error_message::char(512), returned_rows, query_text
    FROM loader_local.queries WHERE loader_local.sees(user_id::oid, user_id::oid);

-- PostgreSQL keeps a database's isolation level as a setting of its new connections (src/sql/database.rs).
CREATE OR REPLACE VIEW loader_local.stv_db_isolation_level AS
    SELECT d.datname::char(128) AS db_name,
        CASE WHEN 'default_transaction_isolation=serializable' = ANY (s.setconfig) THEN 'Serializable' ELSE 'Snapshot Isolation' END::char(20)
            AS isolation_level
    FROM pg_catalog.pg_database d LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setdatabase = d.oid AND s.setrole = 0
    WHERE NOT d.datistemplate AND d.datname <> 'postgres';

-- Who has a lock on a table, and who waits for one.
CREATE OR REPLACE VIEW loader_local.svv_transactions AS
    SELECT loader_local.identity_name(a.usename)::text AS txn_owner, a.datname::text AS txn_db, a.backend_xid::text::bigint AS xid, a.pid,
        a.xact_start AT TIME ZONE 'UTC' AS txn_start, l.mode AS lock_mode, l.locktype AS lockable_object_type, l.relation::integer, l.granted
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    WHERE (l.locktype = 'transactionid' OR (l.locktype = 'relation' AND l.relation >= 16384)) AND loader_local.sees(a.usesysid, a.usesysid);

GRANT SELECT ON loader_local.stv_db_isolation_level, loader_local.svv_transactions, loader_local.sys_load_error_detail, loader_local.stl_load_errors, loader_local.sys_load_history,
    loader_local.sys_query_history TO PUBLIC;

-- A VARCHAR(n) holds n bytes in Redshift and n characters in PostgreSQL. A check keeps the bytes: VARCHAR(20) gets `varchar_bytes_20_…`.
-- src/sql/engine_error.rs reads the 20 from the name for the text of the error.
CREATE OR REPLACE FUNCTION loader_local.keep_varchar_checks() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT attrelid::regclass AS relation, string_agg(
            CASE WHEN conname IS NULL THEN '' ELSE format('DROP CONSTRAINT %I, ', conname) END ||
            format('ADD CONSTRAINT %I CHECK (octet_length(%I) <= %s)',
                'varchar_bytes_' || bytes || '_' || substr(md5(random()::text), 1, 12), attname, bytes), ', ') AS actions
        FROM (
            SELECT DISTINCT a.attrelid, a.attname, a.atttypmod - 4 AS bytes, k.conname
            FROM pg_event_trigger_ddl_commands() d
            JOIN pg_class r ON r.oid = d.objid AND r.relkind = 'r'
            JOIN pg_namespace n ON n.oid = r.relnamespace AND n.nspname <> 'loader_local'
            JOIN pg_attribute a ON a.attrelid = d.objid AND a.attnum > 0 AND NOT a.attisdropped
                AND a.atttypid = 'varchar'::regtype AND a.atttypmod > 0
            LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]
                AND k.conname LIKE 'varchar\_bytes\_%'
            WHERE d.classid = 'pg_class'::regclass
                AND (k.conname IS NULL OR split_part(k.conname, '_', 3) <> (a.atttypmod - 4)::text)
        ) AS missing
        GROUP BY attrelid
    LOOP
        EXECUTE format('ALTER TABLE %s %s', found.relation, found.actions);
    END LOOP;
END $$;
DROP EVENT TRIGGER IF EXISTS loader_local_varchar;
CREATE EVENT TRIGGER loader_local_varchar ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
    EXECUTE FUNCTION loader_local.keep_varchar_checks();

-- These functions live in pg_catalog: queries find them on any search path, and views show them without a schema, `getdate()`.
CREATE OR REPLACE FUNCTION pg_catalog.getdate() RETURNS timestamp LANGUAGE sql STABLE
    AS $$ SELECT date_trunc('second', statement_timestamp()::timestamp) $$;
CREATE OR REPLACE FUNCTION pg_catalog.sysdate() RETURNS timestamp LANGUAGE sql STABLE
    AS $$ SELECT transaction_timestamp()::timestamp $$;
CREATE OR REPLACE FUNCTION pg_catalog.len(text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT length($1) $$;
CREATE OR REPLACE FUNCTION pg_catalog.charindex(text, text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT strpos($2, $1) $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_parse(text) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1::jsonb $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_serialize(jsonb) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1::varchar $$;
CREATE OR REPLACE FUNCTION pg_catalog.convert_timezone(text, text, timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT ($3 AT TIME ZONE $1) AT TIME ZONE $2 $$;
CREATE OR REPLACE FUNCTION pg_catalog.convert_timezone(text, timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT ($2 AT TIME ZONE 'UTC') AT TIME ZONE $1 $$;
CREATE OR REPLACE FUNCTION pg_catalog.pg_last_copy_count() RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT coalesce(nullif(current_setting('loader_local.last_copy_count', true), ''), '0')::bigint $$;
CREATE OR REPLACE FUNCTION pg_catalog.pg_last_copy_id() RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT coalesce(nullif(current_setting('loader_local.last_copy_id', true), ''), '-1')::bigint $$;

CREATE OR REPLACE FUNCTION loader_local.date_part_name(part text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN part IN ('year', 'years', 'y', 'yr', 'yrs') THEN 'year'
        WHEN part IN ('quarter', 'quarters', 'qtr', 'qtrs') THEN 'quarter'
        WHEN part IN ('month', 'months', 'mon', 'mons') THEN 'month'
        WHEN part IN ('week', 'weeks', 'w') THEN 'week'
        WHEN part IN ('day', 'days', 'd') THEN 'day'
        WHEN part IN ('hour', 'hours', 'h', 'hr', 'hrs') THEN 'hour'
        WHEN part IN ('minute', 'minutes', 'm', 'min', 'mins') THEN 'minute'
        WHEN part IN ('second', 'seconds', 's', 'sec', 'secs') THEN 'second'
        WHEN part IN ('millisecond', 'milliseconds', 'ms', 'msec', 'msecs') THEN 'millisecond'
        WHEN part IN ('microsecond', 'microseconds', 'us', 'usec', 'usecs') THEN 'microsecond'
    END;
END $$;
CREATE OR REPLACE FUNCTION pg_catalog.dateadd(part text, amount bigint, moment timestamp) RETURNS timestamp LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    unit text := loader_local.date_part_name(lower(part));
BEGIN
    IF unit IS NULL THEN
        RAISE EXCEPTION 'date part "%" is not supported', part USING ERRCODE = '22023';
    END IF;
    IF unit = 'quarter' THEN
        RETURN moment + amount * interval '3 months';
    END IF;
    RETURN moment + amount * ('1 ' || unit)::interval;
END $$;
CREATE OR REPLACE FUNCTION pg_catalog.datediff(part text, earlier timestamp, later timestamp) RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    unit text := loader_local.date_part_name(lower(part));
    months bigint;
BEGIN
    months := (extract(year FROM later) - extract(year FROM earlier)) * 12 + extract(month FROM later) - extract(month FROM earlier);
    RETURN CASE unit
        WHEN 'year' THEN extract(year FROM later) - extract(year FROM earlier)
        WHEN 'quarter' THEN (extract(year FROM later) - extract(year FROM earlier)) * 4 + extract(quarter FROM later) - extract(quarter FROM earlier)
        WHEN 'month' THEN months
        WHEN 'week' THEN (date_trunc('week', later)::date - date_trunc('week', earlier)::date) / 7
        WHEN 'day' THEN later::date - earlier::date
        WHEN 'hour' THEN extract(epoch FROM date_trunc('hour', later) - date_trunc('hour', earlier)) / 3600
        WHEN 'minute' THEN extract(epoch FROM date_trunc('minute', later) - date_trunc('minute', earlier)) / 60
        WHEN 'second' THEN extract(epoch FROM date_trunc('second', later) - date_trunc('second', earlier))
        WHEN 'millisecond' THEN extract(epoch FROM date_trunc('milliseconds', later) - date_trunc('milliseconds', earlier)) * 1000
        WHEN 'microsecond' THEN extract(epoch FROM later - earlier) * 1000000
    END;
END $$;
