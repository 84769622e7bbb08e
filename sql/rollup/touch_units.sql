-- The units whose figures changed since the day was last rolled up, and all divisions above them on that day; who is
-- expected was decided when the day was rolled up whole.
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
WITH RECURSIVE changed AS (
    SELECT submission.unit_id
    FROM core.submission
    JOIN mart.daily_rollup AS rollup ON rollup.stat_date = submission.stat_date
    WHERE submission.stat_date = :day AND submission.dataset = 'daily'
        AND (
            submission.known_from > rollup.rolled_up_at
            OR (submission.known_to > rollup.rolled_up_at AND submission.known_to < 'infinity')
        )
),

upward AS (
    SELECT period.division_id, period.parent_id, period.level
    FROM core.division_period AS period
    WHERE period.division_id IN (SELECT changed.unit_id FROM changed)
        AND period.valid_from <= :day AND :day < period.valid_to
    UNION
    SELECT period.division_id, period.parent_id, period.level
    FROM upward
    JOIN core.division_period AS period ON period.division_id = upward.parent_id
    WHERE period.valid_from <= :day AND :day < period.valid_to
)

SELECT upward.division_id, level.depth, reporting.is_leaf, reporting.is_expected
FROM upward
JOIN core.level ON level.level = upward.level
JOIN mart.daily_reporting AS reporting
    ON reporting.stat_date = :day AND reporting.division_id = upward.division_id;
