WITH reporting AS (
    INSERT INTO mart.stock_reporting (stat_date, division_id, is_leaf, is_expected, is_reported, is_nil, lacking)
    SELECT
        monthly.stat_date + :shift, monthly.division_id, monthly.is_leaf, monthly.is_expected, monthly.is_reported,
        monthly.is_nil, monthly.lacking
    FROM mart.stock_reporting AS monthly
    WHERE monthly.stat_date = :last
),

rollup AS (
    INSERT INTO mart.stock_rollup (stat_date, loaded_at, rolled_up_at)
    SELECT monthly.stat_date + :shift, monthly.loaded_at, monthly.rolled_up_at
    FROM mart.stock_rollup AS monthly
    WHERE monthly.stat_date = :last
)

INSERT INTO mart.stock_total (stat_date, division_id, cell_id, value, units_expected, units_reported, carried_from)
SELECT
    monthly.stat_date + :shift, monthly.division_id, monthly.cell_id, monthly.value, monthly.units_expected,
    monthly.units_reported, monthly.carried_from
FROM mart.stock_total AS monthly
WHERE monthly.stat_date = :last
