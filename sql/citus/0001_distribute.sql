-- Optional, and by hand: spreads the facts of a warehouse over the nodes of a Citus cluster (docs/howto/citus.md).
-- psql -v ON_ERROR_STOP=1 --single-transaction -f sql/citus/0001_distribute.sql, on the coordinator, as the owner of the
-- warehouse, after `python -m etl init` and with no run under way.

CREATE EXTENSION IF NOT EXISTS citus;

-- Reference tables and tables that refer to them are changed in one transaction. Queries are asked of the coordinator alone,
-- and views stay there: most of them read tables that no other node has.
SET LOCAL citus.enable_local_reference_table_foreign_keys TO off;
SET LOCAL citus.multi_shard_modify_mode TO 'sequential';
SET LOCAL citus.enable_metadata_sync TO off;
DO $$
DECLARE
    setting text;
BEGIN
    FOREACH setting IN ARRAY ARRAY['multi_shard_modify_mode TO sequential', 'enable_metadata_sync TO off'] LOOP
        EXECUTE format('ALTER DATABASE %I SET citus.%s', current_database(), setting);
    END LOOP;
END
$$;
SELECT run_command_on_workers('CREATE SCHEMA IF NOT EXISTS ' || name) FROM unnest(ARRAY['core', 'landing', 'mart']) AS name;

-- In a query that reads facts Citus plans no function in SQL that takes parameters: in PL/pgSQL the same ones say the same.
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

-- Between what stays on the coordinator and what does not no key can lead: those that say that a figure has a batch, or a
-- remark its division. `python -m etl verify` looks for what they would have refused.
DO $$
DECLARE
    spread regclass[] := ARRAY['core.submission', 'mart.daily_sum', 'mart.daily_reporting'];
    whole regclass[] := ARRAY[
        'core.level', 'core.division', 'core.division_period', 'core.platform', 'core.measure', 'core.channel', 'core.cell'
    ];
    key record;
BEGIN
    FOR key IN
        SELECT conrelid::regclass AS owner, conname
        FROM pg_constraint
        WHERE contype = 'f' AND conparentid = 0
            AND (conrelid = ANY(spread || whole)) <> (confrelid = ANY(spread || whole))
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.owner, key.conname);
    END LOOP;
END
$$;

-- Facts refer to these by foreign keys, and every join of facts goes to divisions: whole on every node.
SELECT create_reference_table('core.level');
SELECT create_reference_table('core.division');
SELECT create_reference_table('core.platform');
SELECT create_reference_table('core.measure');
SELECT create_reference_table('core.channel');
SELECT create_reference_table('core.cell');
SELECT create_reference_table('core.division_period');

-- The facts, all by the number of the division (that of a unit is its division's), so that a unit's submissions and what
-- is made of them lie on one node. They stay partitioned by day, a month in each partition.
SELECT create_distributed_table('core.submission', 'unit_id');
SELECT create_distributed_table('mart.daily_sum', 'division_id', colocate_with => 'core.submission');
SELECT create_distributed_table('mart.daily_reporting', 'division_id', colocate_with => 'core.submission');
