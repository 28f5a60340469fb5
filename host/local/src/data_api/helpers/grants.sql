-- Privileges (src/sql/grants.rs). PostgreSQL keeps its own; the privileges that only Redshift has are recorded here and shown, without effect.
CREATE TABLE IF NOT EXISTS loader_local.extra_privileges (
    relation oid, grantee oid, privilege text, grantor oid NOT NULL, is_grantable boolean NOT NULL, PRIMARY KEY (relation, grantee, privilege));
-- Removes rows of temporary tables whose session has ended: no event trigger fires when these go.
DELETE FROM loader_local.extra_privileges e WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = e.relation);

-- `targets` are tables or schemas; an empty grantee is PUBLIC. As in PostgreSQL, a user who may grant only one of several
-- privileges grants that one, and a user who may grant none of them is refused.
CREATE OR REPLACE PROCEDURE loader_local.record_privileges(
    change text, targets oid[], are_schemas boolean, privileges text[], grantees text[], may_grant boolean) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    target record;
    identities oid[] := ARRAY(SELECT CASE g WHEN '' THEN 0 ELSE quote_ident(g)::regrole::oid END FROM unnest(grantees) AS g);
    allowed text[];
BEGIN
    FOR target IN
        SELECT c.oid, c.relname, c.relowner FROM pg_catalog.pg_class c
        WHERE c.relkind IN ('r', 'v', 'm')
            AND CASE WHEN are_schemas THEN c.relnamespace ELSE c.oid END = ANY (targets)
    LOOP
        allowed := privileges;
        IF NOT pg_has_role(loader_local.acting_user(), target.relowner, 'USAGE') THEN
            SELECT array_agg(DISTINCT e.privilege) INTO allowed FROM loader_local.extra_privileges e
            WHERE e.relation = target.oid AND e.is_grantable AND e.grantee = loader_local.user_id()::oid AND e.privilege = ANY (privileges);
            IF allowed IS NULL AND NOT has_table_privilege(loader_local.acting_user(), target.oid, 'SELECT WITH GRANT OPTION') THEN
                RAISE EXCEPTION 'permission denied for relation %', target.relname USING ERRCODE = '42501';
            END IF;
        END IF;
        CASE change
            WHEN 'grant' THEN
                INSERT INTO loader_local.extra_privileges AS e
                SELECT target.oid, i, p, loader_local.user_id()::oid, may_grant FROM unnest(identities) AS i, unnest(allowed) AS p
                ON CONFLICT (relation, grantee, privilege) DO UPDATE SET is_grantable = e.is_grantable OR excluded.is_grantable;
            WHEN 'revoke' THEN
                DELETE FROM loader_local.extra_privileges e
                WHERE e.relation = target.oid AND e.grantee = ANY (identities) AND e.privilege = ANY (allowed);
            ELSE
                UPDATE loader_local.extra_privileges e SET is_grantable = false
                WHERE e.relation = target.oid AND e.grantee = ANY (identities) AND e.privilege = ANY (allowed);
        END CASE;
    END LOOP;
END $$;

-- The privileges that were granted; the owner's own are not shown. TRIGGER is left out: it is not among the documented types.
CREATE OR REPLACE VIEW loader_local.svv_relation_privileges AS
    SELECT loader_local.full_name(n.nspname) AS namespace_name, loader_local.full_name(c.relname) AS relation_name, p.privilege_type,
        p.grantee::integer AS identity_id,
        loader_local.identity_name(r.rolname) AS identity_name, loader_local.identity_type(r.rolname) AS identity_type, p.admin_option
    FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            AND n.nspname NOT IN ('loader_local', 'pg_catalog', 'information_schema', 'pg_toast')
        CROSS JOIN LATERAL (
            SELECT a.grantee, a.privilege_type::varchar, bool_or(a.is_grantable) AS admin_option FROM aclexplode(c.relacl) a
            WHERE a.grantee <> c.relowner AND a.privilege_type <> 'TRIGGER' GROUP BY 1, 2
            UNION ALL
            SELECT e.grantee, e.privilege::varchar, e.is_grantable FROM loader_local.extra_privileges e
            WHERE e.relation = c.oid AND e.grantee <> c.relowner) p
        LEFT JOIN pg_catalog.pg_roles r ON r.oid = p.grantee
    WHERE c.relkind IN ('r', 'v', 'm') AND (p.grantee = 0 OR r.oid IS NOT NULL) AND loader_local.sees(c.relowner, p.grantee);
CREATE OR REPLACE VIEW loader_local.svv_column_privileges AS
    SELECT DISTINCT loader_local.full_name(n.nspname) AS namespace_name, loader_local.full_name(c.relname) AS relation_name,
        loader_local.full_name(t.attname) AS column_name,
        a.privilege_type::varchar, a.grantee::integer AS identity_id, loader_local.identity_name(r.rolname) AS identity_name,
        loader_local.identity_type(r.rolname) AS identity_type
    FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            AND n.nspname NOT IN ('loader_local', 'pg_catalog', 'information_schema', 'pg_toast')
        JOIN pg_catalog.pg_attribute t ON t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped
        CROSS JOIN LATERAL aclexplode(t.attacl) a
        LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE c.relkind IN ('r', 'v', 'm') AND a.privilege_type IN ('SELECT', 'UPDATE') AND loader_local.sees(c.relowner, a.grantee);
CREATE OR REPLACE VIEW loader_local.svv_schema_privileges AS
    SELECT loader_local.full_name(n.nspname) AS namespace_name, a.privilege_type::varchar, a.grantee::integer AS identity_id,
        loader_local.identity_name(r.rolname) AS identity_name, loader_local.identity_type(r.rolname) AS identity_type,
        a.is_grantable AS admin_option
    FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE n.nspname NOT IN ('loader_local', 'pg_catalog', 'information_schema', 'pg_toast') AND a.grantee <> n.nspowner
        AND loader_local.sees(n.nspowner, a.grantee);
CREATE OR REPLACE VIEW loader_local.svv_default_privileges AS
    SELECT loader_local.full_name(n.nspname) AS schema_name, 'RELATION'::varchar AS object_type, d.defaclrole::integer AS owner_id,
        loader_local.full_name(o.rolname) AS owner_name,
        'user'::varchar AS owner_type, a.privilege_type::varchar, a.grantee::integer AS grantee_id,
        loader_local.identity_name(r.rolname) AS grantee_name, loader_local.identity_type(r.rolname) AS grantee_type,
        a.is_grantable AS admin_option
    FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_roles o ON o.oid = d.defaclrole
        LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
        CROSS JOIN LATERAL aclexplode(d.defaclacl) a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE d.defaclobjtype = 'r' AND a.grantee <> d.defaclrole AND a.privilege_type <> 'TRIGGER'
        AND loader_local.sees(d.defaclrole, a.grantee);
GRANT SELECT ON loader_local.svv_relation_privileges, loader_local.svv_column_privileges, loader_local.svv_schema_privileges,
    loader_local.svv_default_privileges TO PUBLIC;

-- `array_to_string(relacl, ',')` spells groups and roles as Redshift does: `group readers=r/loader`. The privileges' letters are PostgreSQL's.
CREATE OR REPLACE FUNCTION pg_catalog.array_to_string(aclitem[], text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN $1 IS NOT NULL THEN coalesce(string_agg(spelled, $2 ORDER BY at), '') END
    FROM unnest($1) WITH ORDINALITY AS items(item, at),
        regexp_replace(regexp_replace(item::text, '^"(group|role):([a-z0-9_]+)"=', '\1 \2='), '^"(group|role):', '\1 "') AS spelled
$$;
