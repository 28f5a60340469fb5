-- What keeps statements of clients inside the database. The last file, because it looks at what the others have made.

-- A SECURITY DEFINER function runs as PostgreSQL's superuser. Without this setting it would look names up on the search path of its
-- caller, and find a view of the caller's in place of a catalog table, with functions that read the machine's files.
DO $$
DECLARE
    found regprocedure;
BEGIN
    FOR found IN SELECT oid FROM pg_catalog.pg_proc WHERE prosecdef AND pronamespace = 'loader_local'::regnamespace LOOP
        EXECUTE format('ALTER ROUTINE %s SET search_path = pg_catalog, pg_temp', found);
    END LOOP;
END $$;

-- PostgreSQL keeps for its superusers what reads files (pg_read_file, pg_ls_dir, lo_import), writes them (lo_export) or rules the server
-- (pg_reload_conf), and lets everybody make large objects, which Redshift does not have.
DO $$
DECLARE
    found regprocedure;
BEGIN
    FOR found IN
        SELECT oid FROM pg_catalog.pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^lo(_|read$|write$)'
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', found);
    END LOOP;
END $$;

-- A superuser reads what was left out above, such as svv_table_info, and grants it to others.
GRANT SELECT ON ALL TABLES IN SCHEMA loader_local TO loader_local WITH GRANT OPTION;
