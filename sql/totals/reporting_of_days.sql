-- A month: who reported, from its days that are rolled up.
INSERT INTO mart.period_reporting (
    period_id, division_id, last_day, is_leaf, days_known, expected, received, on_time, late, rejected, reported,
    own_reported, nil_levels, cutoff_at
)
SELECT
    :period_id,
    daily.division_id,
    max(daily.stat_date),
    bool_and(daily.is_leaf),
    count(*),
    sum(daily.units_expected),
    sum(daily.received),
    sum(daily.on_time),
    sum(daily.late),
    sum(daily.rejected),
    sum(daily.units_reported),
    count(*) FILTER (WHERE daily.is_reported),
    bit_or(daily.nil_levels),
    max(daily.cutoff_at)
FROM mart.daily_reporting AS daily
WHERE daily.stat_date BETWEEN :first AND :last
GROUP BY daily.division_id
