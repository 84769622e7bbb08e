-- Who has reported a day, of the divisions directly below one that owe anything; those with most outstanding first.
SELECT
    place.division_code,
    place.division_name,
    place.level,
    place.parent_code,
    NOT counted.is_leaf AS has_children,
    counted.units_expected AS expected,
    counted.received,
    counted.on_time,
    counted.late,
    counted.received - counted.on_time - counted.late AS late_after_cutoff,
    CASE WHEN counted.cutoff_at < statement_timestamp() THEN counted.units_expected - counted.received - counted.rejected END AS missing,
    counted.rejected,
    counted.received::numeric / nullif(counted.units_expected, 0) AS reporting_rate,
    counted.on_time::numeric / nullif(counted.units_expected, 0) AS on_time_rate,
    counted.cutoff_at >= statement_timestamp() AS is_provisional,
    counted.cutoff_at
FROM mart.division AS place
JOIN mart.daily_reporting AS counted ON counted.division_id = place.division_id
WHERE place.parent_id = :division_id AND counted.stat_date = :day AND counted.units_expected > 0
    AND place.valid_from <= counted.stat_date AND counted.stat_date < place.valid_to
ORDER BY counted.units_expected - counted.received DESC, place.division_code
