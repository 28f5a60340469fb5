-- CASCADE: a user's own view over a helper view is dropped with it.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = to_regnamespace('loader_local') LOOP
        EXECUTE format('DROP VIEW IF EXISTS loader_local.%I CASCADE', found.relname);
    END LOOP;
END $$;
