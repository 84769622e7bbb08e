-- A longer period: who reported, from its months.
INSERT INTO mart.period_reporting (
    period_id, division_id, last_day, is_leaf, days_known, expected, received, on_time, late, rejected, reported,
    own_reported, nil_levels, cutoff_at
)
SELECT
    :period_id,
    monthly.division_id,
    max(monthly.last_day),
    bool_and(monthly.is_leaf),
    sum(monthly.days_known),
    sum(monthly.expected),
    sum(monthly.received),
    sum(monthly.on_time),
    sum(monthly.late),
    sum(monthly.rejected),
    sum(monthly.reported),
    sum(monthly.own_reported),
    bit_or(monthly.nil_levels),
    max(monthly.cutoff_at)
FROM mart.period_reporting AS monthly
WHERE monthly.period_id = ANY(:months)
GROUP BY monthly.division_id
