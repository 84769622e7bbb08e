INSERT INTO mart.daily_reporting (
    stat_date, division_id, is_leaf, is_expected, is_reported, has_figures, units_expected, units_reported, received,
    on_time, late, rejected, nil_levels, cutoff_at
)
SELECT
    daily.stat_date + :shift, daily.division_id, daily.is_leaf, daily.is_expected, daily.is_reported, daily.has_figures,
    daily.units_expected, daily.units_reported, daily.received, daily.on_time, daily.late, daily.rejected,
    daily.nil_levels, daily.cutoff_at + make_interval(days => :shift)
FROM mart.daily_reporting AS daily
WHERE daily.stat_date BETWEEN :first AND :last
