-- Users, groups and roles (src/sql/identities.rs). All are PostgreSQL roles; the name tells the kind: `group:readers` is a group.
CREATE OR REPLACE FUNCTION loader_local.identity_type(role name) RETURNS varchar LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN role IS NULL THEN 'public' WHEN starts_with(role, 'group:') THEN 'group' WHEN starts_with(role, 'role:') THEN 'role'
        ELSE 'user' END::varchar
$$;
CREATE OR REPLACE FUNCTION loader_local.identity_name(role name) RETURNS varchar LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN role IS NULL THEN 'public' ELSE loader_local.full_name(regexp_replace(role, '^(group|role):', '')::name) END::varchar
$$;
-- The session's user, also inside a SECURITY DEFINER function, where current_user is the function's owner.
CREATE OR REPLACE FUNCTION loader_local.user_id() RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT oid::integer FROM pg_catalog.pg_roles WHERE rolname = session_user
$$;
-- Superusers and users with SYSLOG ACCESS UNRESTRICTED see the rows of all users.
CREATE OR REPLACE FUNCTION loader_local.sees_everything() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT pg_has_role(session_user, 'pg_read_all_stats', 'MEMBER')
$$;
-- Other users see the objects that they own, and rows about themselves or about a group or role that they belong to.
CREATE OR REPLACE FUNCTION loader_local.sees(owner oid, identity oid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT loader_local.sees_everything() OR owner = loader_local.user_id()::oid OR identity = 0 OR pg_has_role(session_user, identity, 'MEMBER')
$$;

-- For statements that only an owner may run: checks that first, where PostgreSQL would check later than Redshift or not at all.
CREATE OR REPLACE FUNCTION loader_local.lock_for_owner(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_has_role(session_user, (SELECT relowner FROM pg_catalog.pg_class WHERE oid = relation), 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of relation %', (SELECT relname FROM pg_catalog.pg_class WHERE oid = relation) USING ERRCODE = '42501';
    END IF;
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation);
END $$;

-- Steps that are done once for each database, and not again at the next start, because the database's owner may have undone them.
CREATE TABLE IF NOT EXISTS loader_local.done (step text PRIMARY KEY);
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM loader_local.done WHERE step = 'public') THEN
        -- In Redshift, as in PostgreSQL before version 15, all users may create in the schema public.
        GRANT CREATE, USAGE ON SCHEMA public TO PUBLIC;
        INSERT INTO loader_local.done VALUES ('public');
    END IF;
END $$;

-- DROP USER, GROUP, ROLE: the checks that PostgreSQL does not make.
CREATE OR REPLACE PROCEDURE loader_local.before_drop(identity text, is_forced boolean) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    dropped oid := (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = identity);
    kind text := loader_local.identity_type(identity);
BEGIN
    IF is_forced THEN
        DELETE FROM loader_local.extra_privileges WHERE grantee = dropped;
    ELSIF EXISTS (SELECT FROM loader_local.extra_privileges WHERE grantee = dropped) THEN
        RAISE EXCEPTION '% "%" can''t be dropped because the % has a privilege on some object', kind, loader_local.identity_name(identity), kind
            USING ERRCODE = '2BP01';
    ELSIF kind = 'role' AND EXISTS (SELECT FROM pg_catalog.pg_auth_members WHERE dropped IN (roleid, member)) THEN
        -- The text is ours, not Redshift's.
        RAISE EXCEPTION 'role "%" can''t be dropped because it is granted to an identity or was granted a role; use FORCE',
            loader_local.identity_name(identity) USING ERRCODE = '2BP01';
    END IF;
END $$;

CREATE OR REPLACE VIEW loader_local.pg_user AS
    SELECT loader_local.full_name(rolname)::loader_local.identifier AS usename, oid::integer AS usesysid, rolcreatedb AS usecreatedb, rolsuper AS usesuper, false AS usecatupd,
        '********'::text AS passwd, rolvaliduntil AS valuntil, rolconfig AS useconfig
    FROM pg_catalog.pg_roles WHERE rolcanlogin;
CREATE OR REPLACE VIEW loader_local.pg_group AS
    SELECT loader_local.identity_name(g.rolname)::loader_local.identifier AS groname, g.oid::integer AS grosysid,
        ARRAY(SELECT m.member::integer FROM pg_catalog.pg_auth_members m WHERE m.roleid = g.oid ORDER BY 1) AS grolist
    FROM pg_catalog.pg_roles g WHERE starts_with(g.rolname, 'group:');
CREATE OR REPLACE VIEW loader_local.svv_user_info AS
    SELECT loader_local.full_name(rolname) AS user_name, oid::integer AS user_id, rolcreatedb AS createdb, rolsuper AS superuser, false AS catalog_update,
        CASE rolconnlimit WHEN -1 THEN 'UNLIMITED' ELSE rolconnlimit::varchar END::varchar AS connection_limit,
        CASE WHEN pg_has_role(oid, 'pg_read_all_stats', 'MEMBER') THEN 'UNRESTRICTED' ELSE 'RESTRICTED' END::varchar AS syslog_access,
        rolvaliduntil::timestamp AS password_expiry, NULL::integer AS session_timeout, NULL::varchar AS external_user_id
    FROM pg_catalog.pg_roles WHERE rolcanlogin AND (loader_local.sees_everything() OR rolname = session_user);
-- PostgreSQL does not keep who made a role. Only superusers make roles here, so the first superuser is shown.
CREATE OR REPLACE VIEW loader_local.svv_roles AS
    SELECT oid::integer AS role_id, loader_local.identity_name(rolname) AS role_name,
        (SELECT loader_local.full_name(rolname) FROM pg_catalog.pg_roles WHERE oid = 10) AS role_owner, NULL::varchar AS external_id
    FROM pg_catalog.pg_roles WHERE starts_with(rolname, 'role:') AND loader_local.sees(10, oid);
CREATE OR REPLACE VIEW loader_local.svv_user_grants AS
    SELECT u.oid::integer AS user_id, loader_local.full_name(u.rolname) AS user_name, r.oid::integer AS role_id,
        loader_local.identity_name(r.rolname) AS role_name, m.admin_option
    FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles u ON u.oid = m.member AND u.rolcanlogin
        JOIN pg_catalog.pg_roles r ON r.oid = m.roleid AND starts_with(r.rolname, 'role:')
    WHERE loader_local.sees(10, u.oid);
CREATE OR REPLACE VIEW loader_local.svv_role_grants AS
    SELECT r.oid::integer AS role_id, loader_local.identity_name(r.rolname) AS role_name, g.oid::integer AS granted_role_id,
        loader_local.identity_name(g.rolname) AS granted_role_name
    FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.member AND starts_with(r.rolname, 'role:')
        JOIN pg_catalog.pg_roles g ON g.oid = m.roleid AND starts_with(g.rolname, 'role:')
    WHERE loader_local.sees(10, r.oid);
GRANT SELECT ON loader_local.pg_user, loader_local.pg_group, loader_local.svv_user_info, loader_local.svv_roles,
    loader_local.svv_user_grants, loader_local.svv_role_grants TO PUBLIC;
