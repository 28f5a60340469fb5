-- Names that are too long for PostgreSQL. PostgreSQL keeps an alias, which is computed from the name alone (src/sql/names.rs); this table
-- keeps the full name.
CREATE TABLE IF NOT EXISTS loader_local.long_names (alias name PRIMARY KEY, full_name varchar NOT NULL);
GRANT SELECT ON loader_local.long_names TO PUBLIC;

CREATE OR REPLACE FUNCTION loader_local.keep_names(aliases text[], full_names text[]) RETURNS void LANGUAGE sql SECURITY DEFINER AS
    $$ INSERT INTO loader_local.long_names SELECT * FROM unnest(aliases, full_names) ON CONFLICT DO NOTHING $$;

-- The full name behind an alias. Every view that shows a name calls it.
CREATE OR REPLACE FUNCTION loader_local.long_name(name) RETURNS varchar LANGUAGE sql STABLE STRICT AS
    $$ SELECT coalesce((SELECT l.full_name FROM loader_local.long_names l WHERE l.alias = $1), $1::varchar) $$;
-- PostgreSQL inlines this function, and a name below 54 bytes is never an alias, so that short names need no look-up.
CREATE OR REPLACE FUNCTION loader_local.full_name(name) RETURNS varchar LANGUAGE sql STABLE AS
    $$ SELECT CASE WHEN octet_length($1::text) < 54 THEN $1::varchar ELSE loader_local.long_name($1) END $$;

-- Full names in a text that holds aliases, such as a view's definition.
CREATE OR REPLACE FUNCTION loader_local.full_text(body text) RETURNS text LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    found record;
BEGIN
    IF strpos(body, 'xl_') > 0 THEN
        FOR found IN SELECT alias::text, full_name FROM loader_local.long_names WHERE strpos(body, right(alias::text, 19)) > 0 LOOP
            -- Inside quotes the quotes of the name itself are doubled: the name a"b is "a""b" there.
            body := replace(body, replace(found.alias, '"', '""'), replace(found.full_name, '"', '""'));
            body := replace(body, found.alias, found.full_name);
        END LOOP;
    END IF;
    RETURN body;
END $$;

-- The catalog as queries see it, so that comparing with a long name finds it. The results' type is `name` (src/session.rs).
DO $$ BEGIN
    IF to_regtype('loader_local.identifier') IS NULL THEN
        CREATE DOMAIN loader_local.identifier AS varchar(127);
    END IF;
END $$;
CREATE OR REPLACE VIEW loader_local.pg_namespace AS
    SELECT oid, loader_local.full_name(nspname)::loader_local.identifier AS nspname, nspowner, nspacl
    FROM pg_catalog.pg_namespace
    WHERE nspname <> 'loader_local';
CREATE OR REPLACE VIEW loader_local.pg_class AS
    SELECT oid, loader_local.full_name(relname)::loader_local.identifier AS relname, relnamespace, reltype, relowner, relam, relfilenode,
        reltablespace, relpages, reltuples, relhasindex, relisshared, relkind, relnatts, relchecks, relhasrules, relhassubclass, relacl
    FROM pg_catalog.pg_class
    WHERE relnamespace <> 'loader_local'::regnamespace;
GRANT SELECT ON loader_local.pg_namespace, loader_local.pg_class TO PUBLIC;
