-- Distribution, sort order, encodings and keys (src/sql/keys.rs). They are recorded here, shown by key_views.sql, and never enforced.
CREATE TABLE IF NOT EXISTS loader_local.table_keys (
    relation oid PRIMARY KEY, dist_style text NOT NULL DEFAULT 'AUTO', dist_column smallint, sort_style text NOT NULL DEFAULT 'AUTO',
    sort_columns smallint[] NOT NULL DEFAULT '{}');
CREATE TABLE IF NOT EXISTS loader_local.column_encodings (relation oid, attnum smallint, encoding text NOT NULL, PRIMARY KEY (relation, attnum));
CREATE TABLE IF NOT EXISTS loader_local.declared_constraints (
    id integer GENERATED ALWAYS AS IDENTITY, relation oid, name text, kind "char" NOT NULL, columns smallint[] NOT NULL, referenced oid,
    referenced_columns smallint[], PRIMARY KEY (relation, name));
CREATE OR REPLACE FUNCTION loader_local.forget_keys(gone oid) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
    DELETE FROM loader_local.table_keys WHERE relation = gone;
    DELETE FROM loader_local.column_encodings WHERE relation = gone;
    DELETE FROM loader_local.declared_constraints WHERE gone IN (relation, referenced);
    DELETE FROM loader_local.extra_privileges WHERE relation = gone;
$$;
-- Removes rows of temporary tables whose session has ended.
SELECT loader_local.forget_keys(relation)
FROM (SELECT relation FROM loader_local.table_keys UNION SELECT relation FROM loader_local.column_encodings
    UNION SELECT relation FROM loader_local.declared_constraints) AS known
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = relation);

-- The encodings with the types that they are for; null: all. The numbers are not Redshift's, which only format_encoding reads.
CREATE OR REPLACE VIEW loader_local.encodings(code, name, types) AS
    VALUES (0::smallint, 'none'::text, NULL::regtype[]), (1, 'zstd', NULL),
        (2, 'az64', '{smallint,integer,bigint,numeric,date,timestamp,timestamptz,time,timetz}'),
        (3, 'bytedict', '{smallint,integer,bigint,numeric,real,float8,bpchar,varchar,date,timestamp,timestamptz}'),
        (4, 'delta', '{smallint,integer,bigint,numeric,date,timestamp,timestamptz}'),
        (5, 'delta32k', '{integer,bigint,numeric,date,timestamp,timestamptz}'),
        (6, 'lzo', '{smallint,integer,bigint,numeric,bpchar,varchar,date,timestamp,timestamptz,time,timetz,jsonb,bytea}'),
        (7, 'mostly8', '{smallint,integer,bigint,numeric}'), (8, 'mostly16', '{integer,bigint,numeric}'), (9, 'mostly32', '{bigint,numeric}'),
        (10, 'runlength', '{smallint,integer,bigint,numeric,real,float8,boolean,bpchar,varchar,date,timestamp,timestamptz}'),
        (11, 'text255', '{varchar}'), (12, 'text32k', '{varchar}');
CREATE OR REPLACE FUNCTION pg_catalog.format_encoding(integer) RETURNS text LANGUAGE sql STABLE STRICT AS
    $$ SELECT name FROM loader_local.encodings WHERE code = $1 $$;
GRANT SELECT ON loader_local.encodings TO PUBLIC;

CREATE OR REPLACE FUNCTION loader_local.column_number(relation oid, name text) RETURNS smallint LANGUAGE plpgsql STABLE AS $$
DECLARE
    found smallint := (SELECT attnum FROM pg_catalog.pg_attribute WHERE attrelid = relation AND attname = name AND attnum > 0 AND NOT attisdropped);
BEGIN
    IF found IS NULL THEN
        RAISE EXCEPTION 'column "%" named in key does not exist', name USING ERRCODE = '42703';
    END IF;
    RETURN found;
END $$;
CREATE OR REPLACE FUNCTION loader_local.column_numbers(relation oid, names jsonb) RETURNS smallint[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(loader_local.column_number(relation, name) ORDER BY at), '{}')
    FROM jsonb_array_elements_text(names) WITH ORDINALITY AS given(name, at)
$$;

-- CREATE TABLE … (LIKE …): copies all but the constraints. Columns are matched by name, since the new table may have more of them.
CREATE OR REPLACE FUNCTION loader_local.inherit_keys(parent oid, child oid) RETURNS void LANGUAGE sql AS $$
    WITH numbers AS (
        SELECT o.attnum AS old, n.attnum AS new FROM pg_catalog.pg_attribute o JOIN pg_catalog.pg_attribute n ON n.attname = o.attname
        WHERE o.attrelid = parent AND n.attrelid = child AND o.attnum > 0 AND NOT o.attisdropped
    ), encodings AS (
        INSERT INTO loader_local.column_encodings
        SELECT child, numbers.new, e.encoding FROM loader_local.column_encodings e JOIN numbers ON numbers.old = e.attnum WHERE e.relation = parent
    )
    INSERT INTO loader_local.table_keys
    SELECT child, k.dist_style, (SELECT new FROM numbers WHERE old = k.dist_column), k.sort_style,
        ARRAY(SELECT numbers.new FROM unnest(k.sort_columns) WITH ORDINALITY AS s(old, at) JOIN numbers USING (old) ORDER BY at)
    FROM loader_local.table_keys k WHERE k.relation = parent
$$;

-- The JSON of src/sql/keys.rs with oids in place of table names. The names are looked up as the user, on the user's search path.
CREATE OR REPLACE FUNCTION loader_local.resolved(declared jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT declared
        || CASE WHEN declared ? 'like' THEN jsonb_build_object('like', (declared->>'like')::regclass::oid) ELSE '{}' END
        || CASE WHEN declared ? 'constraints' THEN jsonb_build_object('constraints', (
            SELECT jsonb_agg(CASE WHEN key ? 'references' THEN key || jsonb_build_object('references', (key->>'references')::regclass::oid)
                ELSE key END) FROM jsonb_array_elements(declared->'constraints') AS key)) ELSE '{}' END
$$;
-- Records what a statement declared, in addition to what earlier statements declared.
CREATE OR REPLACE FUNCTION loader_local.declare_keys(target oid, declared jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    item record;
BEGIN
    IF declared ? 'like' THEN
        PERFORM loader_local.inherit_keys((declared->>'like')::oid, target);
    END IF;
    IF declared ? 'dist_style' THEN
        INSERT INTO loader_local.table_keys (relation, dist_style, dist_column)
        VALUES (target, declared->>'dist_style', CASE WHEN declared ? 'dist_key' THEN loader_local.column_number(target, declared->>'dist_key') END)
        ON CONFLICT (relation) DO UPDATE SET dist_style = excluded.dist_style, dist_column = excluded.dist_column;
    END IF;
    IF declared ? 'sort_style' THEN
        INSERT INTO loader_local.table_keys (relation, sort_style, sort_columns)
        VALUES (target, declared->>'sort_style', loader_local.column_numbers(target, coalesce(declared->'sort_key', '[]')))
        ON CONFLICT (relation) DO UPDATE SET sort_style = excluded.sort_style, sort_columns = excluded.sort_columns;
    END IF;
    FOR item IN
        SELECT key AS name, value AS encoding, loader_local.column_number(target, key) AS number
        FROM jsonb_each_text(coalesce(declared->'encodings', '{}'))
    LOOP
        PERFORM loader_local.declare_encoding(target, item.number, item.name, replace(item.encoding, 'raw', 'none'));
    END LOOP;
    FOR item IN
        -- A foreign key may refer to the table itself.
        SELECT value AS key FROM jsonb_array_elements(coalesce(declared->'constraints', '[]')) ORDER BY value->>'kind' = 'f'
    LOOP
        PERFORM loader_local.declare_constraint(target, item.key);
    END LOOP;
END $$;
CREATE OR REPLACE FUNCTION loader_local.declare_encoding(target oid, number smallint, column_name text, wanted text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM loader_local.column_encodings WHERE relation = target AND attnum = number;
    IF wanted = 'auto' THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM loader_local.encodings e JOIN pg_catalog.pg_attribute a ON e.types IS NULL OR a.atttypid = ANY (e.types)
        WHERE e.name = wanted AND a.attrelid = target AND a.attnum = number) THEN
        RAISE EXCEPTION 'invalid encoding type specified for column "%"', column_name USING ERRCODE = '42P16';
    END IF;
    INSERT INTO loader_local.column_encodings VALUES (target, number, wanted);
END $$;
CREATE OR REPLACE FUNCTION loader_local.declare_constraint(target oid, key jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own smallint[] := loader_local.column_numbers(target, key->'columns');
    parent oid := (key->>'references')::oid;
    parents smallint[];
    named text := coalesce(key->>'name', (SELECT relname FROM pg_catalog.pg_class WHERE oid = target)
        || CASE key->>'kind' WHEN 'p' THEN '_pkey' WHEN 'u' THEN '_' || (key->'columns'->>0) || '_key' ELSE '_' || (key->'columns'->>0) || '_fkey' END);
    next integer := 0;
BEGIN
    IF key->>'kind' = 'p' AND EXISTS (SELECT FROM loader_local.declared_constraints WHERE relation = target AND kind = 'p') THEN
        RAISE EXCEPTION 'multiple primary keys for table "%" are not allowed', (SELECT relname FROM pg_catalog.pg_class WHERE oid = target)
            USING ERRCODE = '42P16';
    END IF;
    IF parent IS NOT NULL THEN
        IF key ? 'reference_columns' THEN
            parents := loader_local.column_numbers(parent, key->'reference_columns');
        ELSE
            SELECT columns INTO parents FROM loader_local.declared_constraints WHERE relation = parent AND kind = 'p';
            IF NOT FOUND THEN
                RAISE EXCEPTION 'there is no primary key for referenced table "%"', (SELECT relname FROM pg_catalog.pg_class WHERE oid = parent) USING ERRCODE = '42704';
            END IF;
        END IF;
        IF cardinality(own) <> cardinality(parents) THEN
            RAISE EXCEPTION 'number of referencing and referenced columns for foreign key disagree' USING ERRCODE = '42830';
        END IF;
        IF NOT EXISTS (SELECT FROM loader_local.declared_constraints
            WHERE relation = parent AND kind IN ('p', 'u') AND columns @> parents AND columns <@ parents) THEN
            RAISE EXCEPTION 'there is no unique constraint matching given keys for referenced table "%"', (SELECT relname FROM pg_catalog.pg_class WHERE oid = parent) USING ERRCODE = '42830';
        END IF;
    END IF;
    WHILE EXISTS (SELECT FROM loader_local.declared_constraints WHERE relation = target AND name = named || coalesce(nullif(next, 0)::text, '')) LOOP
        IF key ? 'name' THEN
            RAISE EXCEPTION 'constraint "%" for relation "%" already exists', named, (SELECT relname FROM pg_catalog.pg_class WHERE oid = target) USING ERRCODE = '42710';
        END IF;
        next := next + 1;
    END LOOP;
    INSERT INTO loader_local.declared_constraints (relation, name, kind, columns, referenced, referenced_columns)
    VALUES (target, named || coalesce(nullif(next, 0)::text, ''), (key->>'kind')::"char", own, parent, parents);
END $$;

CREATE OR REPLACE FUNCTION loader_local.declare_table(created oid, declared jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    nullable text;
BEGIN
    PERFORM loader_local.forget_keys(created);
    PERFORM loader_local.declare_keys(created, declared);
    FOR nullable IN
        SELECT a.attname FROM loader_local.declared_constraints k JOIN pg_catalog.pg_attribute a ON a.attrelid = k.relation
            AND a.attnum = ANY (k.columns) AND NOT a.attnotnull
        WHERE k.relation = created AND k.kind = 'p'
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', created::regclass, nullable);
    END LOOP;
END $$;

-- After CREATE TABLE: records what the statement declared for the table that it made. CREATE TABLE IF NOT EXISTS may have made none.
CREATE OR REPLACE FUNCTION loader_local.record_created() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    declared text := current_setting('loader_local.declared_keys', true);
BEGIN
    IF declared <> '' THEN
        PERFORM set_config('loader_local.declared_keys', '', true);
        PERFORM loader_local.declare_table(objid, loader_local.resolved(declared::jsonb))
        FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' AND command_tag LIKE 'CREATE TABLE%';
    END IF;
END $$;
-- Drops: the records of an object go with it. A column that is the distribution key or in the sort key cannot be dropped.
CREATE OR REPLACE FUNCTION loader_local.record_dropped() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    gone record;
BEGIN
    FOR gone IN SELECT * FROM pg_event_trigger_dropped_objects() WHERE classid = 'pg_class'::regclass LOOP
        IF gone.objsubid = 0 THEN
            PERFORM loader_local.forget_keys(gone.objid);
            CONTINUE;
        END IF;
        -- Both texts are ours, not Redshift's.
        IF EXISTS (SELECT FROM loader_local.table_keys WHERE relation = gone.objid AND dist_column = gone.objsubid) THEN
            RAISE EXCEPTION 'cannot drop distkey column "%"', gone.address_names[array_upper(gone.address_names, 1)] USING ERRCODE = '0A000';
        ELSIF EXISTS (SELECT FROM loader_local.table_keys WHERE relation = gone.objid AND gone.objsubid = ANY (sort_columns)) THEN
            RAISE EXCEPTION 'cannot drop sortkey column "%"', gone.address_names[array_upper(gone.address_names, 1)] USING ERRCODE = '0A000';
        END IF;
        DELETE FROM loader_local.column_encodings WHERE relation = gone.objid AND attnum = gone.objsubid;
        DELETE FROM loader_local.declared_constraints WHERE (relation = gone.objid AND gone.objsubid = ANY (columns))
            OR (referenced = gone.objid AND gone.objsubid = ANY (referenced_columns));
    END LOOP;
END $$;
DROP EVENT TRIGGER IF EXISTS loader_local_keys;
CREATE EVENT TRIGGER loader_local_keys ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS')
    EXECUTE FUNCTION loader_local.record_created();
DROP EVENT TRIGGER IF EXISTS loader_local_drops;
CREATE EVENT TRIGGER loader_local_drops ON sql_drop EXECUTE FUNCTION loader_local.record_dropped();

-- ALTER TABLE: changes the keys of an existing table.
CREATE OR REPLACE PROCEDURE loader_local.alter_keys(relation regclass, declared jsonb) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    nullable text;
BEGIN
    PERFORM loader_local.lock_for_owner(relation);
    SELECT a.attname INTO nullable
    FROM jsonb_array_elements(coalesce(declared->'constraints', '[]')) AS key, jsonb_array_elements_text(key->'columns') AS name
        JOIN pg_catalog.pg_attribute a ON a.attname = name AND NOT a.attnotnull AND NOT a.attisdropped
    WHERE key->>'kind' IN ('p', 'u') AND a.attrelid = relation;
    IF nullable IS NOT NULL THEN
        -- The text is ours, not Redshift's.
        RAISE EXCEPTION 'cannot add a primary key or unique constraint to nullable column "%"', nullable USING ERRCODE = '42P16';
    END IF;
    PERFORM loader_local.declare_keys(relation, declared);
END $$;
CREATE OR REPLACE PROCEDURE loader_local.drop_key(relation regclass, key text) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM loader_local.lock_for_owner(relation);
    DELETE FROM loader_local.declared_constraints c WHERE c.relation = drop_key.relation AND c.name = key;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'constraint "%" of relation "%" does not exist', key, (SELECT relname FROM pg_catalog.pg_class WHERE oid = relation)
            USING ERRCODE = '42704';
    END IF;
END $$;

-- Why the type of a column cannot be altered, or null. loader_local.alter_varchar asks. The texts are ours, not Redshift's.
CREATE OR REPLACE FUNCTION loader_local.alter_type_obstacle(relation regclass, name text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT format('cannot alter column "%s" of relation "%s", ', name, c.relname) || obstacle
    FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = name
        CROSS JOIN LATERAL (
            SELECT format('column encoding %s is not supported', encoding) AS obstacle FROM loader_local.column_encodings e
            WHERE e.relation = c.oid AND e.attnum = a.attnum AND encoding IN ('bytedict', 'runlength', 'text255', 'text32k')
            UNION ALL
            SELECT 'column is part of a PRIMARY KEY, UNIQUE or FOREIGN KEY constraint' FROM loader_local.declared_constraints k
            WHERE k.relation = c.oid AND a.attnum = ANY (k.columns)) AS found
    WHERE c.oid = alter_type_obstacle.relation
    LIMIT 1
$$;
