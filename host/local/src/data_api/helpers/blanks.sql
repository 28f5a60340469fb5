-- Blanks at the end of a VARCHAR do not count in = and <>. PostgreSQL compares VARCHARs as text, where they do; as CHAR they do not. It puts
-- the body in place of the call, so that joins can still be made by hashing. The operators are in pg_catalog, to be found on any search path.
CREATE OR REPLACE FUNCTION loader_local.equals(varchar, varchar) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT $1::bpchar = $2::bpchar $$;
CREATE OR REPLACE FUNCTION loader_local.equals(varchar, bpchar) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT $1::bpchar = $2 $$;
CREATE OR REPLACE FUNCTION loader_local.equals(bpchar, varchar) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT $1 = $2::bpchar $$;
CREATE OR REPLACE FUNCTION loader_local.differs(varchar, varchar) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT $1::bpchar <> $2::bpchar $$;
CREATE OR REPLACE FUNCTION loader_local.differs(varchar, bpchar) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT $1::bpchar <> $2 $$;
CREATE OR REPLACE FUNCTION loader_local.differs(bpchar, varchar) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT $1 <> $2::bpchar $$;
-- Beside VARCHAR = VARCHAR alone, PostgreSQL could not choose an operator for CHAR = VARCHAR any more, so that has its own.
DO $$
DECLARE
    pair record;
BEGIN
    IF to_regoperator('pg_catalog.=(varchar, varchar)') IS NULL THEN
        FOR pair IN SELECT * FROM (VALUES ('varchar', 'varchar'), ('varchar', 'bpchar'), ('bpchar', 'varchar')) AS pairs (l, r) LOOP
            EXECUTE format('CREATE OPERATOR pg_catalog.= (LEFTARG = %s, RIGHTARG = %s, FUNCTION = loader_local.equals,
                COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel)', pair.l, pair.r);
            EXECUTE format('CREATE OPERATOR pg_catalog.<> (LEFTARG = %s, RIGHTARG = %s, FUNCTION = loader_local.differs,
                COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel)', pair.l, pair.r);
        END LOOP;
    END IF;
END $$;
