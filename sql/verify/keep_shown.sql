-- What a period shows, aside.
CREATE TEMPORARY TABLE shown ON COMMIT DROP AS
SELECT total.division_id, total.cell_id, total.value
FROM mart.period_total AS total
WHERE total.period_id = :period_id
UNION ALL
SELECT own.unit_id, own.cell_id, own.value
FROM mart.period_own AS own
JOIN mart.period_reporting AS reporting
    ON reporting.period_id = own.period_id AND reporting.division_id = own.unit_id AND reporting.is_leaf
WHERE own.period_id = :period_id
