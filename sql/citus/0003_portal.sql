-- For the portal on Citus. On one server a view reads tables with the rights of its owner, and the role that the portal takes
-- on reaches nothing but views. Citus asks the nodes, its own too, under the role that asks the view, which needs the rights
-- there: here it is given them. What keeps small samples back is then the portal's pages, which ask views alone. Whoever
-- else may take on this role can read everything (docs/howto/citus.md).
-- To be run after 0002_functions.sql, and again after later migrations.
GRANT USAGE ON SCHEMA landing, core, quality TO pls_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA landing, core, quality, mart TO pls_reader;
