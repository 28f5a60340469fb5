-- Views: the late-binding ones that PostgreSQL lacks, definitions as Redshift shows them, and statements that only Redshift refuses.

-- Definitions of late-binding ('l') and materialized ('m') views as they were typed. `query` is the PostgreSQL text that a query reads
-- in place of a late-binding view's name; `name` is the name that a materialized view keeps.
CREATE TABLE IF NOT EXISTS loader_local.view_definitions (
    relation oid PRIMARY KEY, kind "char" NOT NULL, name name NOT NULL, definition text NOT NULL, query text NOT NULL);
GRANT SELECT ON loader_local.view_definitions TO PUBLIC;

CREATE OR REPLACE FUNCTION loader_local.forget_dropped_views() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM loader_local.view_definitions v USING pg_event_trigger_dropped_objects() d
    WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND v.relation = d.objid;
END $$;
DROP EVENT TRIGGER IF EXISTS loader_local_views;
CREATE EVENT TRIGGER loader_local_views ON sql_drop EXECUTE FUNCTION loader_local.forget_dropped_views();

CREATE OR REPLACE FUNCTION loader_local.remember_view(relation oid, kind "char", definition text, query text) RETURNS void
    LANGUAGE sql SECURITY DEFINER AS $$
    INSERT INTO loader_local.view_definitions SELECT c.oid, $2, c.relname, $3, $4 FROM pg_class c WHERE c.oid = $1
    ON CONFLICT (relation) DO UPDATE SET definition = excluded.definition, query = excluded.query
$$;

-- The relation that a CREATE of this name would replace. A name without a schema means the schema where the new object would be made.
CREATE OR REPLACE FUNCTION loader_local.existing(name text) RETURNS oid LANGUAGE plpgsql STABLE AS $$
DECLARE
    parts text[] := parse_ident(name);
BEGIN
    IF cardinality(parts) = 1 THEN
        parts := ARRAY[current_schema(), parts[1]];
    END IF;
    RETURN (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = parts[1] AND c.relname = parts[2]);
END $$;

CREATE OR REPLACE FUNCTION loader_local.is_late_binding(relation oid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM loader_local.view_definitions v WHERE v.relation = $1 AND v.kind = 'l')
$$;

-- No bound or materialized view may read a late-binding view, because the tables under that may change.
CREATE OR REPLACE PROCEDURE loader_local.refuse_late_binding(reads text[]) LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY reads LOOP
        IF loader_local.is_late_binding(to_regclass(name)) THEN
            RAISE EXCEPTION 'late-binding view % cannot be read by a view with schema binding', to_regclass(name)
                USING ERRCODE = '0A000', HINT = 'Use WITH NO SCHEMA BINDING.';
        END IF;
    END LOOP;
END $$;

-- CREATE [OR REPLACE] VIEW. PostgreSQL lets a replacement add columns, Redshift does not.
CREATE OR REPLACE PROCEDURE loader_local.create_view(name text, replaces boolean, reads text[], statement text) LANGUAGE plpgsql AS $$
DECLARE
    old oid := CASE WHEN replaces THEN loader_local.existing(name) END;
    columns integer := (SELECT relnatts FROM pg_class WHERE oid = old);
BEGIN
    CALL loader_local.refuse_late_binding(reads);
    IF loader_local.is_late_binding(old) THEN
        RAISE EXCEPTION 'cannot replace late-binding view % by one with schema binding', old::regclass USING ERRCODE = '0A000';
    END IF;
    EXECUTE statement;
    IF columns <> (SELECT relnatts FROM pg_class WHERE oid = old) THEN
        RAISE EXCEPTION 'cannot change number of columns in view' USING ERRCODE = '42P16';
    END IF;
END $$;

-- CREATE [OR REPLACE] VIEW … WITH NO SCHEMA BINDING. The view in PostgreSQL has no columns, depends on nothing, and fails when read;
-- the server puts the view's query in place of its name before a statement runs (src/data_api/late_binding.rs).
CREATE OR REPLACE PROCEDURE loader_local.create_late_binding_view(name text, replaces boolean, definition text, query text)
    LANGUAGE plpgsql AS $$
DECLARE
    old oid := CASE WHEN replaces THEN loader_local.existing(name) END;
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = old AND relkind IN ('v', 'm')) AND NOT loader_local.is_late_binding(old) THEN
        RAISE EXCEPTION 'cannot replace view % by one WITH NO SCHEMA BINDING', old::regclass USING ERRCODE = '0A000';
    END IF;
    EXECUTE format('CREATE %s VIEW %s AS SELECT WHERE current_setting(%L) IS NULL', CASE WHEN replaces THEN 'OR REPLACE' ELSE '' END,
        name, 'loader_local: a late-binding view cannot be read here');
    PERFORM loader_local.remember_view(loader_local.existing(name), 'l', definition, query);
END $$;

-- The query to read in place of a name; null when the name is not a late-binding view's.
CREATE OR REPLACE FUNCTION loader_local.late_binding_query(name text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    found text;
BEGIN
    SELECT v.query INTO found FROM loader_local.view_definitions v WHERE v.relation = to_regclass($1) AND v.kind = 'l';
    IF found IS NOT NULL AND NOT has_table_privilege(to_regclass($1), 'SELECT') THEN
        RAISE EXCEPTION 'permission denied for relation %', to_regclass($1) USING ERRCODE = '42501';
    END IF;
    RETURN found;
END $$;

-- CREATE MATERIALIZED VIEW, which Redshift has on tables and on other materialized views.
CREATE OR REPLACE PROCEDURE loader_local.create_materialized_view(name text, reads text[], definition text, query text)
    LANGUAGE plpgsql AS $$
DECLARE
    made oid;
    refused oid;
BEGIN
    CALL loader_local.refuse_late_binding(reads);
    EXECUTE format('CREATE MATERIALIZED VIEW %s AS %s', name, query);
    made := loader_local.existing(name);
    SELECT c.oid INTO refused FROM pg_rewrite r
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_class c ON c.oid = d.refobjid
        WHERE r.ev_class = made AND (c.relkind = 'v' OR c.relpersistence = 't') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'cannot create materialized view %: it reads %, which is a view or a temporary table', made::regclass, refused::regclass
            USING ERRCODE = '0A000';
    END IF;
    PERFORM loader_local.remember_view(made, 'm', definition, query);
END $$;

CREATE OR REPLACE PROCEDURE loader_local.comment_on_view(relation regclass, words text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COMMENT ON %s %s IS %L',
        CASE (SELECT relkind FROM pg_class WHERE oid = relation) WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, relation, words);
END $$;

-- The definition as Redshift shows it: the SELECT of a bound view, the whole CREATE of the others. Types have Redshift's names, and
-- backslashes in literals are doubled.
CREATE OR REPLACE FUNCTION loader_local.pg_get_viewdef(relation oid, pretty boolean DEFAULT false) RETURNS text LANGUAGE sql STABLE
    SET standard_conforming_strings = off AS $$
    SELECT loader_local.full_text(coalesce((SELECT v.definition || ';' FROM loader_local.view_definitions v WHERE v.relation = $1),
        replace(replace(pg_catalog.pg_get_viewdef($1, $2), '::jsonb', '::super'), '::bytea', '::varbyte')))
$$;
CREATE OR REPLACE FUNCTION loader_local.pg_get_viewdef(name text, pretty boolean DEFAULT false) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT loader_local.pg_get_viewdef($1::regclass::oid, $2)
$$;

CREATE OR REPLACE VIEW loader_local.pg_views AS
    SELECT loader_local.full_name(n.nspname)::loader_local.identifier AS schemaname, loader_local.full_name(c.relname)::loader_local.identifier AS viewname,
        loader_local.full_name(pg_get_userbyid(c.relowner))::loader_local.identifier AS viewowner,
        loader_local.pg_get_viewdef(c.oid) AS definition
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND n.nspname <> 'loader_local';
CREATE OR REPLACE VIEW loader_local.svv_tables AS
    SELECT table_catalog::varchar, loader_local.full_name(table_schema) AS table_schema, loader_local.full_name(table_name) AS table_name,
        table_type::varchar, NULL::varchar AS remarks
    FROM information_schema.tables
    WHERE table_schema <> 'loader_local'
    UNION ALL
    SELECT current_database()::varchar, loader_local.full_name(n.nspname), loader_local.full_name(c.relname), 'VIEW'::varchar, NULL::varchar
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm' AND has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, REFERENCES');
-- The stand-in has no row-level security, so no policy is ever attached.
CREATE OR REPLACE VIEW loader_local.svv_rls_attached_policy AS
    SELECT NULL::varchar AS relschema, NULL::varchar AS relname, NULL::varchar AS relkind, NULL::varchar AS polname,
        NULL::varchar AS grantor, NULL::varchar AS grantee, NULL::varchar AS granteekind, false AS is_pol_on, false AS is_rls_on
    WHERE false;
GRANT SELECT ON loader_local.pg_views, loader_local.svv_tables, loader_local.svv_rls_attached_policy TO PUBLIC;
