-- What may be written, and from where, when Redshift allows less than PostgreSQL.

-- Views are read-only. The trigger for rows makes the one for statements fire, also when there is no row.
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
        -- Not the engine's words.
        RAISE EXCEPTION 'the source of MERGE must be a table, % is a view', relation USING ERRCODE = '0A000';
    END IF;
    RETURN true;
END $$;
