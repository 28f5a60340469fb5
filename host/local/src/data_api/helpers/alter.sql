-- The ALTER TABLE statements that PostgreSQL accepts and Redshift refuses.

-- ALTER TABLE … ALTER COLUMN … TYPE. Redshift changes only the size of a VARCHAR this way, and not while a view reads the table.
CREATE OR REPLACE PROCEDURE loader_local.alter_varchar(relation regclass, name text, size integer) LANGUAGE plpgsql AS $$
DECLARE
    target pg_attribute;
    longest integer;
    obstacle text;
BEGIN
    PERFORM loader_local.lock_for_owner(relation);
    SELECT * INTO target FROM pg_attribute WHERE attrelid = relation AND attname = name AND attnum > 0 AND NOT attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', name, relation USING ERRCODE = '42703';
    END IF;
    IF target.atttypid <> 'varchar'::regtype THEN
        RAISE EXCEPTION 'cannot alter column "%" of relation "%", target column type is not supported; only VARCHAR can be altered', name, relation
            USING ERRCODE = '0A000';
    END IF;
    IF target.atttypmod - 4 = size THEN
        RAISE EXCEPTION 'cannot alter column "%" of relation "%", target column size should be different', name, relation
            USING ERRCODE = '0A000';
    END IF;
    obstacle := loader_local.alter_type_obstacle(relation, name);
    IF obstacle IS NOT NULL THEN
        RAISE EXCEPTION '%', obstacle USING ERRCODE = '0A000';
    END IF;
    obstacle := loader_local.dependent_view(relation, target.attnum);
    IF obstacle IS NOT NULL THEN
        RAISE EXCEPTION 'cannot alter type of a column used by a view or rule' USING ERRCODE = '0A000', DETAIL = obstacle;
    END IF;
    IF target.atthasdef THEN
        IF target.atttypmod - 4 > size THEN
            RAISE EXCEPTION 'cannot decrease a VARCHAR column size with default value' USING ERRCODE = '0A000';
        END IF;
        -- The text is ours, not Redshift's.
        RAISE EXCEPTION 'cannot alter column "%" of relation "%", column has a default value', name, relation USING ERRCODE = '0A000';
    END IF;
    IF target.atttypmod - 4 > size THEN
        EXECUTE format('SELECT max(octet_length(%I)) FROM %s', name, relation) INTO longest;
        IF longest > size THEN
            RAISE EXCEPTION 'cannot alter column "%" of relation "%", existing data is longer than % bytes', name, relation, size
                USING ERRCODE = '22001';
        END IF;
    END IF;
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE varchar(%s)', relation, name, size);
END $$;

-- A view that reads the relation, as the text of a DETAIL; a view that reads the column itself is preferred. Null when no view does.
CREATE OR REPLACE FUNCTION loader_local.dependent_view(relation oid, attribute smallint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT format('rule %s on %s %s depends on ', r.rulename, CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, c.oid::regclass)
        || CASE WHEN d.refobjsubid = $2 THEN format('column "%s"', a.attname) ELSE format('table %s', $1::regclass) END
    FROM pg_depend d
        JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        JOIN pg_class c ON c.oid = r.ev_class
        LEFT JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = $2
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND r.ev_class <> $1
    ORDER BY d.refobjsubid = $2 DESC, c.oid LIMIT 1
$$;

-- A table keeps at least one column, and a materialized view its name.
CREATE OR REPLACE FUNCTION loader_local.check_altered() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    altered text;
BEGIN
    FOR altered IN
        SELECT c.oid::regclass FROM pg_event_trigger_ddl_commands() e
            JOIN pg_class c ON e.classid = 'pg_class'::regclass AND c.oid = e.objid AND c.relkind = 'r'
        WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
    LOOP
        RAISE EXCEPTION 'cannot drop the only column of table %', altered USING ERRCODE = '0A000';
    END LOOP;
    FOR altered IN
        SELECT v.name FROM pg_event_trigger_ddl_commands() e
            JOIN pg_class c ON e.classid = 'pg_class'::regclass AND c.oid = e.objid
            JOIN loader_local.view_definitions v ON v.relation = c.oid AND v.kind = 'm' AND v.name <> c.relname
    LOOP
        RAISE EXCEPTION 'materialized view % cannot be renamed', altered USING ERRCODE = '0A000';
    END LOOP;
END $$;
DROP EVENT TRIGGER IF EXISTS loader_local_altered;
CREATE EVENT TRIGGER loader_local_altered ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION loader_local.check_altered();
