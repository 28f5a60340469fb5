-- The schema of the stand-in's own objects. The lock lets one connection at a time make them.
SELECT pg_advisory_xact_lock(6029417);
CREATE SCHEMA IF NOT EXISTS loader_local;
GRANT USAGE ON SCHEMA loader_local TO PUBLIC;
