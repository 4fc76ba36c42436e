-- First part of the install script: refuses to be run by psql, and pins the search path for all that follows.
\echo Use "CREATE EXTENSION tbs" to load this file. \quit
SET LOCAL search_path TO pg_catalog, pg_temp;

-- A plain CREATE SCHEMA: the extension owns it, and a schema that somebody made before is an error.
CREATE SCHEMA tbs;
COMMENT ON SCHEMA tbs IS 'TBS Provisioning: billing changes on voice lines become API calls to network resources';
