-- A month's totals as sums of what its units reported, and its reporting: every unit is expected on 22 days, a few are late
-- or silent. In place of the totals that only look like some.
DELETE FROM mart.period_sum WHERE period_id = %(period_id)s;
DELETE FROM mart.period_reporting WHERE period_id = %(period_id)s;
CREATE TEMP TABLE bench_above ON COMMIT DROP AS
WITH RECURSIVE above AS (
    SELECT place.division_id AS unit_id, place.division_id, place.parent_id
    FROM core.division_period AS place
    JOIN bench_scope AS scope ON scope.division_id = place.division_id
    WHERE place.valid_from <= %(day)s AND %(day)s < place.valid_to
    UNION ALL
    SELECT above.unit_id, place.division_id, place.parent_id
    FROM above
    JOIN core.division_period AS place ON place.division_id = above.parent_id
    WHERE place.valid_from <= %(day)s AND %(day)s < place.valid_to
)

SELECT above.unit_id, above.division_id FROM above JOIN bench_scope AS scope ON scope.division_id = above.division_id;
ANALYZE bench_above;

INSERT INTO mart.period_sum (period_id, division_id, cells, figures)
SELECT %(period_id)s, total.division_id, array_agg(total.cell_id), array_agg(total.value)
FROM (
SELECT above.division_id, coalesce(own.cell_id, all_cell.cell_id) AS cell_id, sum(own.value)::bigint AS value
FROM mart.period_own AS own
JOIN bench_above AS above ON above.unit_id = own.unit_id
JOIN core.cell ON cell.cell_id = own.cell_id
JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
WHERE own.period_id = %(period_id)s
    AND above.division_id IN (SELECT wide.division_id FROM bench_above AS wide GROUP BY 1 HAVING count(*) > 1)
GROUP BY GROUPING SETS ((above.division_id, own.cell_id), (above.division_id, all_cell.cell_id))
) AS total
GROUP BY total.division_id;

INSERT INTO mart.period_reporting (
    period_id, division_id, last_day, is_leaf, days_known, expected, received, on_time, late, reported, nil_levels,
    rejected, own_reported
)
SELECT
    %(period_id)s,
    above.division_id,
    %(day)s,
    count(*) = 1,
    22,
    22 * count(*),
    sum(22 - own.missed),
    sum(20 - own.missed),
    count(*),
    sum(22 - own.missed),
    bit_or(CASE WHEN own.missed < 22 THEN 1 << level.depth ELSE 0 END),
    0,
    max(CASE WHEN above.unit_id = above.division_id THEN 22 - own.missed END)
FROM bench_above AS above
JOIN (
    SELECT scope.division_id, scope.level, CASE WHEN scope.division_id %% 97 = 0 THEN 22 ELSE scope.division_id %% 4 END AS missed
    FROM bench_scope AS scope
) AS own ON own.division_id = above.unit_id
JOIN core.level ON level.level = own.level
GROUP BY above.division_id;

UPDATE mart.period SET totalled_at = now(), days_known = ends_on - starts_on + 1 WHERE period_id = %(period_id)s;
