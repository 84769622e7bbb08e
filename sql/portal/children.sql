-- The divisions directly below a division in a period, each with who reported.
SELECT
    place.division_id,
    place.division_code,
    place.division_name,
    place.level,
    place.parent_code,
    NOT counted.is_leaf AS has_children,
    counted.expected,
    counted.received,
    counted.on_time,
    counted.late,
    counted.received - counted.on_time - counted.late AS late_after_cutoff,
    CASE WHEN counted.cutoff_at < statement_timestamp() THEN counted.expected - counted.received - counted.rejected END AS missing,
    counted.rejected,
    counted.received::numeric / nullif(counted.expected, 0) AS reporting_rate,
    counted.on_time::numeric / nullif(counted.expected, 0) AS on_time_rate,
    period.days_known < period.ends_on - period.starts_on + 1
        OR coalesce(counted.received < period.provisional_below * counted.expected, false) AS is_provisional,
    count(*) OVER () AS rows_total
FROM mart.division AS place
JOIN mart.period_reporting AS counted ON counted.division_id = place.division_id
JOIN mart.period ON period.period_id = counted.period_id
WHERE place.parent_id = :division_id AND counted.period_id = :period_id
    AND place.valid_from <= counted.last_day AND counted.last_day < place.valid_to
ORDER BY place.division_code
LIMIT :limit OFFSET :offset
