-- Days, and months' ends of stocks, whose marts may show what was known only after a moment. was_shown: whether they had
-- been rolled up by then. is_whole: whether it has changed since who is expected, or what
-- is below what. Stocks are always written whole.
WITH changed AS (
    SELECT 'daily' AS dataset, rollup.stat_date
    FROM mart.daily_rollup AS rollup
    WHERE rollup.stat_date BETWEEN :first AND :last
        AND (rollup.rolled_up_at IS NULL OR greatest(rollup.loaded_at, rollup.rolled_up_at) > :moment)
    UNION ALL
    SELECT 'stocks', rollup.stat_date
    FROM mart.stock_rollup AS rollup
    WHERE rollup.stat_date BETWEEN :first AND :last
        AND (rollup.rolled_up_at IS NULL OR greatest(rollup.loaded_at, rollup.rolled_up_at) > :moment)
)

SELECT
    changed.dataset,
    changed.stat_date,
    EXISTS (
        SELECT FROM core.expected_day AS expected
        WHERE expected.stat_date = changed.stat_date AND expected.dataset = changed.dataset
            AND expected.known_from <= :moment
    ) AS was_shown,
    EXISTS (
        SELECT FROM core.expected_day AS expected
        WHERE expected.stat_date = changed.stat_date AND expected.dataset = changed.dataset
            AND (expected.known_from > :moment OR (expected.known_to > :moment AND expected.known_to < 'infinity'))
    ) OR EXISTS (
        SELECT FROM core.division_period WHERE division_period.known_from > :moment
    ) OR EXISTS (
        SELECT FROM core.division_period_history AS history WHERE history.known_from <= :moment AND :moment < history.known_to
    ) AS is_whole
FROM changed
ORDER BY changed.stat_date, changed.dataset
