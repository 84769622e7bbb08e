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

-- A statement is carried to the other nodes under the role that asks it.
DO $$
DECLARE
    command text;
    told record;
BEGIN
    FOR command IN
        SELECT format('CREATE SCHEMA IF NOT EXISTS %1$I; GRANT USAGE ON SCHEMA %1$I TO PUBLIC;', name)
        FROM unnest(ARRAY['core', 'mart']) AS name
        UNION ALL
        SELECT format('IF to_regrole(%1$L) IS NULL THEN CREATE ROLE %1$I; END IF; ALTER ROLE %1$I LOGIN;', rolname)
        FROM pg_roles
        WHERE rolname IN ('pls_owner', 'pls_loader', 'pls_clerk', 'pls_reader', 'pls_county')
    LOOP
        command := format(
            'DO $do$ BEGIN PERFORM set_config(''citus.enable_ddl_propagation'', ''off'', true); %s END $do$', command
        );
        FOR told IN SELECT * FROM run_command_on_workers(command) LOOP
            IF NOT told.success THEN
                RAISE EXCEPTION '%:%: %', told.nodename, told.nodeport, told.result;
            END IF;
        END LOOP;
    END LOOP;
    FOR command IN
        SELECT format('ALTER ROLE %I LOGIN', rolname)
        FROM pg_roles
        WHERE rolname IN ('pls_owner', 'pls_loader', 'pls_clerk', 'pls_reader', 'pls_county') AND NOT rolcanlogin
    LOOP
        EXECUTE command;
    END LOOP;
END
$$;

-- No key can lead between what stays on the coordinator and what does not, such as the one that says that a submission has
-- a batch: there the pipeline alone sees to it, which registers a batch before it reads it.
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
