-- In a query that reads facts Citus plans no function in SQL that takes parameters: in PL/pgSQL the same ones say the same.
-- To be run after 0001_distribute.sql, and again after migrations that came later (docs/howto/citus.md).
DO $$
DECLARE
    function record;
BEGIN
    FOR function IN
        SELECT split_part(pg_get_functiondef(proc.oid), 'AS $function$', 1) AS head, proc.prosrc AS body
        FROM pg_proc AS proc
        JOIN pg_language AS language ON language.oid = proc.prolang
        WHERE language.lanname = 'sql' AND proc.proretset AND proc.pronargs > 0
            AND proc.pronamespace::regnamespace::text IN ('core', 'landing', 'mart', 'quality')
    LOOP
        EXECUTE replace(function.head, 'LANGUAGE sql', 'LANGUAGE plpgsql') || format(
            'AS %L', E'\n#variable_conflict use_column\nBEGIN\n    RETURN QUERY\n' || function.body || E';\nEND\n'
        );
    END LOOP;
END
$$;

-- Citus plans with the parameters' values, not before it knows them.
DO $$
DECLARE
    function record;
BEGIN
    FOR function IN
        SELECT proc.oid::regprocedure AS name
        FROM pg_proc AS proc
        WHERE proc.proconfig @> '{plan_cache_mode=force_generic_plan}'
            AND proc.pronamespace::regnamespace::text IN ('core', 'landing', 'mart', 'quality')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET plan_cache_mode = force_custom_plan', function.name);
    END LOOP;
END
$$;
