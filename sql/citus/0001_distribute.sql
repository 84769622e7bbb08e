-- Optional, and by hand: spreads the facts of a warehouse over the nodes of a Citus cluster (docs/howto/citus.md).
-- psql -v ON_ERROR_STOP=1 --single-transaction -f sql/citus/0001_distribute.sql, on the coordinator, as the owner of the
-- warehouse, after `python -m etl init` and with no run under way.

CREATE EXTENSION IF NOT EXISTS citus;

-- Reference tables and tables that refer to them, in one transaction.
SET LOCAL citus.multi_shard_modify_mode TO 'sequential';

-- Facts refer to these by foreign keys, and every join of facts goes to divisions: whole on every node.
SELECT create_reference_table('core.level');
SELECT create_reference_table('core.division');
SELECT create_reference_table('core.platform');
SELECT create_reference_table('landing.batch');
SELECT create_reference_table('core.measure');
SELECT create_reference_table('core.channel');
SELECT create_reference_table('core.cell');
SELECT create_reference_table('core.division_period');

-- The facts, all by the number of the division (that of a unit is its division's), so that a unit's submissions and what
-- is made of them lie on one node. They stay partitioned by day, a month in each partition.
SELECT create_distributed_table('core.submission', 'unit_id');
SELECT create_distributed_table('mart.daily_sum', 'division_id', colocate_with => 'core.submission');
SELECT create_distributed_table('mart.daily_reporting', 'division_id', colocate_with => 'core.submission');
