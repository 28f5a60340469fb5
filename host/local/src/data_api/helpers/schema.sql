-- Where the stand-in's own objects are. One connection at a time makes them.
SELECT pg_advisory_xact_lock(6029417);
CREATE SCHEMA IF NOT EXISTS loader_local;
GRANT USAGE ON SCHEMA loader_local TO PUBLIC;
