-- One login role for each kind of access, so that a stand can be used as the different people would: ./tbs psql -U tbs_app.
-- The bridge of the stand logs in as tbs_bridge. Running it again changes nothing.
SELECT format('CREATE ROLE %I LOGIN', 'tbs_' || access)
FROM unnest('{app,operator,admin,bridge,viewer}'::text[]) AS wanted (access)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tbs_' || access)
\gexec

SELECT tbs.grant_access(('tbs_' || access)::regrole, access)
FROM unnest('{app,operator,admin,bridge,viewer}'::text[]) AS wanted (access);
