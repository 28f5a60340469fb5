-- Catalog and system views that show columns with their defaults, keys and encodings as Redshift does.

-- The encoding of a column without ENCODE follows from its type; columns of the sort key are not encoded.
CREATE OR REPLACE FUNCTION loader_local.shown_encoding(declared text, type oid, is_sort_key boolean) RETURNS varchar LANGUAGE sql STABLE AS $$
    SELECT coalesce(declared, CASE
        WHEN is_sort_key THEN 'none'
        WHEN type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype, 'date'::regtype, 'timestamp'::regtype,
            'timestamptz'::regtype, 'time'::regtype, 'timetz'::regtype) THEN 'az64'
        WHEN type IN ('varchar'::regtype, 'bpchar'::regtype, 'text'::regtype, 'bytea'::regtype) THEN 'lzo'
        WHEN type = 'jsonb'::regtype THEN 'zstd'
        ELSE 'none' END)::varchar
$$;
-- The place of a column in the sort key: 1, 2, 3 in a compound key, 1, -2, 3 in an interleaved one, 0 outside of it.
CREATE OR REPLACE FUNCTION loader_local.sort_position(style text, columns smallint[], number smallint) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN style = 'INTERLEAVED' AND position % 2 = 0 THEN -position ELSE position END
    FROM (SELECT coalesce(array_position(columns, number), 0) AS position) AS found
$$;

-- All columns but attmissingval, whose type a view cannot have.
CREATE OR REPLACE VIEW loader_local.pg_attribute AS
    SELECT a.attrelid, loader_local.full_name(a.attname)::loader_local.identifier AS attname, a.atttypid, a.attstattarget, a.attlen, a.attnum, a.attndims, a.attcacheoff, a.atttypmod, a.attbyval,
        a.attalign, a.attstorage, a.attcompression, a.attnotnull, a.atthasdef, a.atthasmissing, a.attidentity, a.attgenerated, a.attisdropped,
        a.attislocal, a.attinhcount, a.attcollation, a.attacl, a.attoptions, a.attfdwoptions,
        coalesce(k.dist_column = a.attnum, false) AS attisdistkey,
        loader_local.sort_position(k.sort_style, k.sort_columns, a.attnum) AS attsortkeyord,
        (SELECT code FROM loader_local.encodings
            WHERE name = loader_local.shown_encoding(e.encoding, a.atttypid, coalesce(a.attnum = ANY (k.sort_columns), false)))::smallint AS attencodingtype
    FROM pg_catalog.pg_attribute a
        LEFT JOIN loader_local.table_keys k ON k.relation = a.attrelid
        LEFT JOIN loader_local.column_encodings e ON e.relation = a.attrelid AND e.attnum = a.attnum;

-- A type in Redshift's words. SUPER is a jsonb here and VARBYTE a bytea; a VARCHAR and a DECIMAL without a size have the largest one.
CREATE OR REPLACE FUNCTION loader_local.format_type(type oid, modifier integer) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN type = 'jsonb'::regtype THEN 'super' WHEN type = 'bytea'::regtype THEN 'binary varying'
        WHEN type = 'text'::regtype OR (type = 'varchar'::regtype AND modifier < 0) THEN 'character varying(65535)'
        WHEN type = 'numeric'::regtype AND modifier < 0 THEN 'numeric(38,0)'
        ELSE pg_catalog.format_type(type, modifier) END
$$;
-- The expression of a default, with backslashes in literals doubled. PostgreSQL keeps an IDENTITY as a sequence, Redshift as a default.
CREATE OR REPLACE FUNCTION loader_local.default_expression(relation oid, number smallint, identity "char", stored pg_node_tree) RETURNS varchar
    LANGUAGE sql STABLE SET standard_conforming_strings = off AS $$
    SELECT CASE WHEN identity = '' THEN pg_catalog.pg_get_expr(stored, relation)
        ELSE (SELECT format('%s(%s, %s, ''%s,%s''::text)', CASE identity WHEN 'a' THEN '"identity"' ELSE '"default_identity"' END,
                relation, number - 1, s.seqstart, s.seqincrement)
            FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.objid
            WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = relation AND d.refobjsubid = number
                AND d.deptype = 'i') END::varchar
$$;
CREATE OR REPLACE FUNCTION loader_local.pg_get_expr(expression text, relation oid) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT expression $$;
CREATE OR REPLACE VIEW loader_local.pg_attrdef AS
    SELECT coalesce(d.oid, 0::oid) AS oid, a.attrelid AS adrelid, a.attnum AS adnum, e.expression AS adbin, e.expression AS adsrc
    FROM pg_catalog.pg_attribute a
        LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        CROSS JOIN LATERAL (SELECT loader_local.default_expression(a.attrelid, a.attnum, a.attidentity, d.adbin) AS expression) AS e
    WHERE (a.atthasdef OR a.attidentity <> '') AND NOT a.attisdropped;

-- With the keys that were declared, and without checks, since all checks are the stand-in's own.
CREATE OR REPLACE VIEW loader_local.pg_constraint AS
    SELECT oid, loader_local.full_name(conname)::loader_local.identifier AS conname, connamespace, contype, condeferrable, condeferred, conrelid, contypid, confrelid, confupdtype, confdeltype,
        confmatchtype, conkey, confkey, NULL::text AS conbin, NULL::text AS consrc
    FROM pg_catalog.pg_constraint
    WHERE contype <> 'c' AND connamespace <> 'loader_local'::regnamespace
    UNION ALL
    SELECT (4000000000 + k.id)::oid, loader_local.full_name(k.name::name)::loader_local.identifier, c.relnamespace, k.kind, false, false, k.relation, 0::oid, coalesce(k.referenced, 0::oid),
        CASE k.kind WHEN 'f' THEN 'a' ELSE ' ' END::"char", CASE k.kind WHEN 'f' THEN 'a' ELSE ' ' END::"char",
        CASE k.kind WHEN 'f' THEN 's' ELSE ' ' END::"char", k.columns, k.referenced_columns, NULL, NULL
    FROM loader_local.declared_constraints k JOIN pg_catalog.pg_class c ON c.oid = k.relation;

CREATE OR REPLACE VIEW loader_local.svv_columns AS
    SELECT table_catalog::varchar, loader_local.full_name(table_schema) AS table_schema, loader_local.full_name(table_name) AS table_name,
        loader_local.full_name(column_name) AS column_name, ordinal_position::integer,
        CASE WHEN is_identity = 'YES' THEN (SELECT d.adsrc FROM loader_local.pg_attrdef d
                WHERE d.adrelid = to_regclass(format('%I.%I', table_schema, table_name)) AND d.adnum = ordinal_position)
            ELSE column_default END::varchar AS column_default,
        is_nullable::varchar,
        CASE data_type WHEN 'text' THEN 'character varying' WHEN 'jsonb' THEN 'super' WHEN 'bytea' THEN 'binary varying'
            ELSE data_type END::varchar AS data_type,
        CASE WHEN data_type IN ('text', 'character varying') THEN coalesce(character_maximum_length::integer, 65535)
            ELSE character_maximum_length::integer END AS character_maximum_length,
        CASE WHEN data_type = 'numeric' THEN coalesce(numeric_precision::integer, 38) ELSE numeric_precision::integer END AS numeric_precision,
        numeric_precision_radix::integer,
        CASE WHEN data_type = 'numeric' THEN coalesce(numeric_scale::integer, 0) ELSE numeric_scale::integer END AS numeric_scale,
        datetime_precision::integer, interval_type::varchar, interval_precision::varchar, character_set_catalog::varchar,
        character_set_schema::varchar, character_set_name::varchar, collation_catalog::varchar, collation_schema::varchar,
        collation_name::varchar, domain_name::varchar, NULL::varchar AS remarks
    FROM information_schema.columns
    WHERE table_schema <> 'loader_local';
CREATE OR REPLACE VIEW loader_local.svv_redshift_columns AS
    SELECT c.table_catalog AS database_name, c.table_schema AS schema_name, c.table_name, c.column_name, c.ordinal_position, c.data_type,
        c.column_default, c.is_nullable, format_encoding(a.attencodingtype)::varchar AS encoding, a.attisdistkey AS distkey, a.attsortkeyord AS sortkey,
        array_to_string(a.attacl, ',')::varchar AS column_acl, c.remarks
    FROM loader_local.svv_columns c
        JOIN loader_local.pg_namespace n ON n.nspname = c.table_schema
        JOIN loader_local.pg_class r ON r.relnamespace = n.oid AND r.relname = c.table_name
        JOIN loader_local.pg_attribute a ON a.attrelid = r.oid AND a.attnum = c.ordinal_position;
-- Shows only the tables of schemas in search_path.
CREATE OR REPLACE VIEW loader_local.pg_table_def AS
    SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname AS "column",
        loader_local.format_type(a.atttypid, a.atttypmod)::varchar AS type,
        format_encoding(a.attencodingtype)::varchar AS encoding, a.attisdistkey AS distkey, a.attsortkeyord AS sortkey, a.attnotnull AS "notnull"
    FROM loader_local.pg_attribute a JOIN loader_local.pg_class c ON c.oid = a.attrelid JOIN loader_local.pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
        AND n.oid = ANY (SELECT s.oid FROM pg_catalog.pg_namespace s WHERE s.nspname = ANY (current_schemas(false)));
GRANT SELECT ON loader_local.pg_attribute, loader_local.pg_attrdef, loader_local.pg_constraint, loader_local.svv_columns, loader_local.svv_redshift_columns,
    loader_local.pg_table_def TO PUBLIC;

-- The rows of a table. When a transaction has locked it, the view must not wait for it: it then shows the number in PostgreSQL's statistics.
-- Tables only: a view's functions would run with the rights of this function's owner. Looked at under the lock, which keeps the name.
CREATE OR REPLACE FUNCTION loader_local.row_count(relation regclass) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    found bigint;
BEGIN
    EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE NOWAIT', relation);
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = to_regclass(relation::text) AND oid = relation AND relkind = 'r') THEN
        RAISE EXCEPTION 'not a table: %', relation USING ERRCODE = '42809';
    END IF;
    EXECUTE format('SELECT count(*) FROM %s', relation) INTO found;
    RETURN found;
EXCEPTION WHEN lock_not_available THEN
    RETURN pg_stat_get_live_tuples(relation);
END $$;
-- Only superusers may read it, and it leaves out empty tables, as in Redshift.
CREATE OR REPLACE VIEW loader_local.svv_table_info AS
    SELECT current_database()::varchar AS database, loader_local.full_name(n.nspname) AS schema, c.oid AS table_id,
        loader_local.full_name(c.relname) AS "table",
        CASE WHEN EXISTS (SELECT FROM loader_local.column_encodings e WHERE e.relation = c.oid) THEN 'Y' ELSE 'Y, AUTO(ENCODE)' END::varchar AS encoded,
        CASE coalesce(k.dist_style, 'AUTO') WHEN 'KEY' THEN format('KEY(%s)', loader_local.full_name(d.attname)) WHEN 'AUTO' THEN 'AUTO(ALL)'
            ELSE k.dist_style END::varchar AS diststyle,
        CASE WHEN k.sort_style = 'INTERLEAVED' THEN 'INTERLEAVED' WHEN coalesce(k.sort_style, 'AUTO') = 'AUTO' THEN 'AUTO(SORTKEY)'
            ELSE s.attname END::varchar AS sortkey1,
        (SELECT max(m.atttypmod - 4) FROM pg_catalog.pg_attribute m
            WHERE m.attrelid = c.oid AND m.atttypid = 'varchar'::regtype AND NOT m.attisdropped)::integer AS max_varchar,
        format_encoding(s.attencodingtype)::varchar AS sortkey1_enc, cardinality(coalesce(k.sort_columns, '{}')) AS sortkey_num,
        greatest(1, pg_relation_size(c.oid) / 1048576) AS size, NULL::numeric(10, 4) AS pct_used, 0::bigint AS empty,
        NULL::numeric(5, 2) AS unsorted, 0::numeric(5, 2) AS stats_off, r.tbl_rows::numeric(38, 0), NULL::numeric(19, 2) AS skew_sortkey1,
        NULL::numeric(19, 2) AS skew_rows, r.tbl_rows::numeric(38, 2) AS estimated_visible_rows, NULL::varchar AS risk_event,
        NULL::numeric(12, 2) AS vacuum_sort_benefit, NULL::timestamp AS create_time
    FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname NOT IN ('loader_local', 'pg_catalog', 'information_schema')
        LEFT JOIN loader_local.table_keys k ON k.relation = c.oid
        LEFT JOIN pg_catalog.pg_attribute d ON d.attrelid = c.oid AND d.attnum = k.dist_column
        LEFT JOIN loader_local.pg_attribute s ON s.attrelid = c.oid AND s.attnum = k.sort_columns[1]
        CROSS JOIN LATERAL (SELECT loader_local.row_count(c.oid) AS tbl_rows) AS r
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND r.tbl_rows > 0;
