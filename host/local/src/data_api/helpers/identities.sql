-- Users, groups and roles (src/sql/identities.rs). All are PostgreSQL roles; the name tells the kind: `group:readers` is a group.
CREATE OR REPLACE FUNCTION loader_local.identity_type(role name) RETURNS varchar LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN role IS NULL THEN 'public' WHEN starts_with(role, 'group:') THEN 'group' WHEN starts_with(role, 'role:') THEN 'role'
        ELSE 'user' END::varchar
$$;
CREATE OR REPLACE FUNCTION loader_local.identity_name(role name) RETURNS varchar LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN role IS NULL THEN 'public' ELSE loader_local.full_name(regexp_replace(role, '^(group|role):', '')::name) END::varchar
$$;
-- The user who acts: the session's user, or the one that SET SESSION AUTHORIZATION named. Right also inside a SECURITY DEFINER
-- function, where current_user is the function's owner.
CREATE OR REPLACE FUNCTION loader_local.acting_user() RETURNS name LANGUAGE sql STABLE AS $$
    SELECT CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role')::name END
$$;
CREATE OR REPLACE FUNCTION loader_local.user_id() RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT oid::integer FROM pg_catalog.pg_roles WHERE rolname = loader_local.acting_user()
$$;
-- Superusers in Redshift's sense (src/roles.rs).
CREATE OR REPLACE FUNCTION loader_local.is_superuser(identity name) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT pg_has_role(identity, 'loader_local', 'MEMBER')
$$;
-- Superusers and users with SYSLOG ACCESS UNRESTRICTED see the rows of all users.
CREATE OR REPLACE FUNCTION loader_local.sees_everything() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT pg_has_role(loader_local.acting_user(), 'pg_read_all_stats', 'MEMBER')
$$;
-- Other users see the objects that they own, and rows about themselves or about a group or role that they belong to.
CREATE OR REPLACE FUNCTION loader_local.sees(owner oid, identity oid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT loader_local.sees_everything() OR owner = loader_local.user_id()::oid OR identity = 0
        OR pg_has_role(loader_local.acting_user(), identity, 'MEMBER')
$$;

-- For statements that only an owner may run: checks that first, where PostgreSQL would check later than Redshift or not at all. A
-- superuser counts as the owner of what another superuser has made.
CREATE OR REPLACE FUNCTION loader_local.check_owner(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    SELECT c.relname, r.oid AS owner, r.rolsuper INTO found
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner WHERE c.oid = relation;
    IF NOT pg_has_role(loader_local.acting_user(), found.owner, 'USAGE')
        AND (found.rolsuper OR NOT loader_local.is_superuser(loader_local.acting_user())) THEN
        RAISE EXCEPTION 'must be owner of relation %', found.relname USING ERRCODE = '42501';
    END IF;
END $$;
CREATE OR REPLACE FUNCTION loader_local.lock_for_owner(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM loader_local.check_owner(relation);
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation);
END $$;

-- SET SESSION AUTHORIZATION. PostgreSQL's own is for its superusers alone. SET ROLE changes current_user and the rights, and leaves
-- session_user as it is.
CREATE OR REPLACE PROCEDURE loader_local.set_session_authorization(wanted text) LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = coalesce(wanted, session_user) AND rolcanlogin) THEN
        RAISE EXCEPTION 'role "%" does not exist', wanted USING ERRCODE = '42704';
    ELSIF wanted <> session_user AND NOT loader_local.is_superuser(session_user) THEN
        RAISE EXCEPTION 'permission denied to set session authorization "%"', wanted USING ERRCODE = '42501';
    END IF;
    PERFORM set_config('role', coalesce(nullif(wanted, session_user), 'none'), false);
END $$;

-- CREATEUSER and NOCREATEUSER. A superuser is a member of `loader`, and so of every other user (src/roles.rs). Other users have
-- superusers among their members. No role can be both.
CREATE OR REPLACE PROCEDURE loader_local.change_superuser(identity text, wanted boolean) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NOT loader_local.is_superuser(loader_local.acting_user()) THEN
        RAISE EXCEPTION 'must be superuser to alter superusers' USING ERRCODE = '42501';
    ELSIF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = identity AND rolcanlogin AND NOT rolsuper) OR identity = 'loader' THEN
        -- The text is ours, not Redshift's.
        RAISE EXCEPTION 'role "%" cannot become or cease to be a superuser', identity USING ERRCODE = '42704';
    END IF;
    IF wanted THEN
        EXECUTE format('REVOKE %I FROM loader_local', identity);
        EXECUTE format('GRANT loader TO %I', identity);
    ELSE
        EXECUTE format('REVOKE loader FROM %I', identity);
        EXECUTE format('GRANT %I TO loader_local WITH ADMIN OPTION', identity);
    END IF;
END $$;

-- ALTER TABLE … OWNER TO. Unlike in PostgreSQL, a superuser may give a relation to a user who may not create in its schema.
CREATE OR REPLACE PROCEDURE loader_local.change_owner(relation regclass, wanted text) LANGUAGE plpgsql AS $$
BEGIN
    IF loader_local.is_superuser(loader_local.acting_user()) THEN
        CALL loader_local.give(relation, wanted);
    ELSE
        EXECUTE format('ALTER TABLE %s OWNER TO %I', relation, wanted);
    END IF;
END $$;
CREATE OR REPLACE PROCEDURE loader_local.give(relation regclass, wanted text) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    -- What belongs to PostgreSQL's superuser could run with its rights.
    IF NOT loader_local.is_superuser(loader_local.acting_user()) OR EXISTS (SELECT FROM pg_roles WHERE rolname = wanted AND rolsuper) THEN
        RAISE EXCEPTION 'permission denied for user %', wanted USING ERRCODE = '42501';
    END IF;
    PERFORM loader_local.check_owner(relation);
    EXECUTE format('ALTER TABLE %s OWNER TO %I', relation, wanted);
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
    ELSIF kind = 'role' AND EXISTS (SELECT FROM pg_catalog.pg_auth_members
        WHERE dropped IN (roleid, member) AND member <> to_regrole('loader_local')) THEN
        -- The text is ours, not Redshift's.
        RAISE EXCEPTION 'role "%" can''t be dropped because it is granted to an identity or was granted a role; use FORCE',
            loader_local.identity_name(identity) USING ERRCODE = '2BP01';
    END IF;
END $$;

CREATE OR REPLACE VIEW loader_local.pg_user AS
    SELECT loader_local.full_name(rolname)::loader_local.identifier AS usename, oid::integer AS usesysid, rolcreatedb AS usecreatedb,
        loader_local.is_superuser(rolname) AS usesuper, false AS usecatupd,
        '********'::text AS passwd, rolvaliduntil AS valuntil, rolconfig AS useconfig
    FROM pg_catalog.pg_roles WHERE rolcanlogin AND NOT rolsuper;
CREATE OR REPLACE VIEW loader_local.pg_group AS
    SELECT loader_local.identity_name(g.rolname)::loader_local.identifier AS groname, g.oid::integer AS grosysid,
        ARRAY(SELECT m.member::integer FROM pg_catalog.pg_auth_members m WHERE m.roleid = g.oid AND m.member <> to_regrole('loader_local')
            ORDER BY 1) AS grolist
    FROM pg_catalog.pg_roles g WHERE starts_with(g.rolname, 'group:');
CREATE OR REPLACE VIEW loader_local.svv_user_info AS
    SELECT loader_local.full_name(rolname) AS user_name, oid::integer AS user_id, rolcreatedb AS createdb,
        loader_local.is_superuser(rolname) AS superuser, false AS catalog_update,
        CASE rolconnlimit WHEN -1 THEN 'UNLIMITED' ELSE rolconnlimit::varchar END::varchar AS connection_limit,
        CASE WHEN pg_has_role(oid, 'pg_read_all_stats', 'MEMBER') THEN 'UNRESTRICTED' ELSE 'RESTRICTED' END::varchar AS syslog_access,
        rolvaliduntil::timestamp AS password_expiry, NULL::integer AS session_timeout, NULL::varchar AS external_user_id
    FROM pg_catalog.pg_roles WHERE rolcanlogin AND NOT rolsuper AND (loader_local.sees_everything() OR rolname = loader_local.acting_user());
-- PostgreSQL does not keep who made a role. Only superusers make roles here, so the first of them is shown.
CREATE OR REPLACE VIEW loader_local.svv_roles AS
    SELECT oid::integer AS role_id, loader_local.identity_name(rolname) AS role_name,
        'loader'::varchar AS role_owner, NULL::varchar AS external_id
    FROM pg_catalog.pg_roles WHERE starts_with(rolname, 'role:') AND loader_local.sees(to_regrole('loader'), oid);
CREATE OR REPLACE VIEW loader_local.svv_user_grants AS
    SELECT u.oid::integer AS user_id, loader_local.full_name(u.rolname) AS user_name, r.oid::integer AS role_id,
        loader_local.identity_name(r.rolname) AS role_name, m.admin_option
    FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles u ON u.oid = m.member AND u.rolcanlogin
        JOIN pg_catalog.pg_roles r ON r.oid = m.roleid AND starts_with(r.rolname, 'role:')
    WHERE loader_local.sees(to_regrole('loader'), u.oid);
CREATE OR REPLACE VIEW loader_local.svv_role_grants AS
    SELECT r.oid::integer AS role_id, loader_local.identity_name(r.rolname) AS role_name, g.oid::integer AS granted_role_id,
        loader_local.identity_name(g.rolname) AS granted_role_name
    FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.member AND starts_with(r.rolname, 'role:')
        JOIN pg_catalog.pg_roles g ON g.oid = m.roleid AND starts_with(g.rolname, 'role:')
    WHERE loader_local.sees(to_regrole('loader'), r.oid);
GRANT SELECT ON loader_local.pg_user, loader_local.pg_group, loader_local.svv_user_info, loader_local.svv_roles,
    loader_local.svv_user_grants, loader_local.svv_role_grants TO PUBLIC;
