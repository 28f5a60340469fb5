-- Writes that PostgreSQL allows and Redshift refuses.

-- Views are read-only. The trigger for statements fires only on a view that has a trigger for rows too, so both are made. It refuses
-- also a statement that would change no row.
CREATE OR REPLACE FUNCTION loader_local.refuse_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% a view', CASE TG_OP WHEN 'INSERT' THEN 'cannot insert into' WHEN 'UPDATE' THEN 'cannot update' ELSE 'cannot delete from' END
        USING ERRCODE = '55000';
END $$;
CREATE OR REPLACE FUNCTION loader_local.make_read_only() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    made regclass;
BEGIN
    FOR made IN
        SELECT c.oid FROM pg_event_trigger_ddl_commands() e JOIN pg_catalog.pg_class c ON e.classid = 'pg_class'::regclass AND c.oid = e.objid
        WHERE c.relkind = 'v' AND c.relnamespace <> 'loader_local'::regnamespace
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER loader_local_rows INSTEAD OF INSERT OR UPDATE OR DELETE ON %s
            FOR EACH ROW EXECUTE FUNCTION loader_local.refuse_write()', made);
        EXECUTE format('CREATE OR REPLACE TRIGGER loader_local_statements BEFORE INSERT OR UPDATE OR DELETE ON %s
            FOR EACH STATEMENT EXECUTE FUNCTION loader_local.refuse_write()', made);
    END LOOP;
END $$;
DROP EVENT TRIGGER IF EXISTS loader_local_read_only;
CREATE EVENT TRIGGER loader_local_read_only ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION loader_local.make_read_only();

-- Part of every MERGE's condition. It is called when the statement is planned, so that a source without rows is refused too.
CREATE OR REPLACE FUNCTION loader_local.is_merge_source(relation regclass) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF (SELECT relkind FROM pg_catalog.pg_class WHERE oid = relation) <> 'r' THEN
        -- The text is ours, not Redshift's.
        RAISE EXCEPTION 'the source of MERGE must be a table, % is a view', relation USING ERRCODE = '0A000';
    END IF;
    RETURN true;
END $$;

-- The lock of a writer, for users who may insert and not lock.
CREATE OR REPLACE PROCEDURE loader_local.lock_for_writing(relation regclass) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', relation);
END $$;

-- A DECIMAL of 19 digits has 8 bytes in Redshift, and a CHAR holds single-byte characters only. The names of the checks tell the errors
-- apart (src/sql/engine_error.rs).
CREATE OR REPLACE FUNCTION loader_local.keep_value_checks() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT DISTINCT a.attrelid::regclass AS relation, a.attname, a.atttypid, (a.atttypmod - 4) & 2047 AS scale
        FROM pg_event_trigger_ddl_commands() d
            JOIN pg_catalog.pg_class r ON r.oid = d.objid AND r.relkind = 'r' AND r.relnamespace <> 'loader_local'::regnamespace
            JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE d.classid = 'pg_class'::regclass
            AND (a.atttypid = 'bpchar'::regtype OR (a.atttypid = 'numeric'::regtype AND a.atttypmod > 4 AND (a.atttypmod - 4) >> 16 = 19))
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum])
    LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s)', found.relation,
            CASE found.atttypid WHEN 'bpchar'::regtype THEN 'single_bytes_' ELSE 'decimal_bound_' END || substr(md5(random()::text), 1, 12),
            CASE found.atttypid WHEN 'bpchar'::regtype THEN format('octet_length(%1$I::text) = char_length(%1$I::text)', found.attname)
                ELSE format('abs(%I) <= %s', found.attname, round(9223372036854775807 / power(10::numeric, found.scale), found.scale)) END);
    END LOOP;
END $$;
DROP EVENT TRIGGER IF EXISTS loader_local_values;
CREATE EVENT TRIGGER loader_local_values ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
    EXECUTE FUNCTION loader_local.keep_value_checks();
