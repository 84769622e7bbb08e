-- Bytes of every table with its partitions, indexes apart.
SELECT
    coalesce(parent.oid, class.oid)::regclass::text AS table_name,
    sum(pg_table_size(class.oid)) AS bytes,
    sum(pg_indexes_size(class.oid)) AS index_bytes,
    sum(greatest(class.reltuples, 0))::bigint AS rows
FROM pg_class AS class
LEFT JOIN pg_inherits ON pg_inherits.inhrelid = class.oid
LEFT JOIN pg_class AS parent ON parent.oid = pg_inherits.inhparent
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE class.relkind = 'r' AND namespace.nspname IN ('landing', 'core', 'quality', 'mart')
GROUP BY 1
ORDER BY sum(pg_total_relation_size(class.oid)) DESC
