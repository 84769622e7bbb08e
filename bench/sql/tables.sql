-- The months' stocks are written as they are read, without their roll-up.
DROP VIEW IF EXISTS mart.stock_figure CASCADE;
CREATE TABLE mart.stock_figure (
    stat_date date NOT NULL,
    division_id integer NOT NULL,
    cell_id smallint NOT NULL,
    value bigint,
    units_expected integer NOT NULL,
    units_reported integer NOT NULL,
    carried_from date,
    PRIMARY KEY (stat_date, division_id, cell_id)
);
CREATE SEQUENCE IF NOT EXISTS bench_number;
INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256, pulled_at, state)
SELECT min(platform_id), 'stocks', '2026-03-31', 'months', repeat('0', 64), now(), 'loaded' FROM core.platform;
