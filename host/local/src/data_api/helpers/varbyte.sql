-- Functions of VARBYTE, which is PostgreSQL's bytea.
CREATE OR REPLACE FUNCTION pg_catalog.from_hex(text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT decode($1, 'hex') $$;
CREATE OR REPLACE FUNCTION pg_catalog.to_hex(bytea) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT encode($1, 'hex')::varchar $$;
CREATE OR REPLACE FUNCTION pg_catalog.to_varbyte(text, text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN CASE lower($2)
        WHEN 'hex' THEN decode($1, 'hex')
        WHEN 'base64' THEN decode($1, 'base64')
        WHEN 'utf8' THEN convert_to($1, 'UTF8')
        WHEN 'utf-8' THEN convert_to($1, 'UTF8')
    END;
END $$;
CREATE OR REPLACE FUNCTION pg_catalog.from_varbyte(bytea, text) RETURNS varchar LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN CASE lower($2)
        WHEN 'hex' THEN encode($1, 'hex')
        WHEN 'base64' THEN encode($1, 'base64')
        WHEN 'utf8' THEN convert_from($1, 'UTF8')
        WHEN 'utf-8' THEN convert_from($1, 'UTF8')
    END;
END $$;
