UPDATE mart.period
SET
    totalled_at = :moment,
    provisional_below = :provisional_below,
    days_known = CASE
        WHEN period.kind = 'month' THEN (
            SELECT count(*)
            FROM mart.daily_rollup AS rollup
            WHERE rollup.stat_date BETWEEN :first AND :last AND rollup.rolled_up_at IS NOT NULL
        )
        ELSE (
            SELECT coalesce(sum(month.days_known), 0)
            FROM mart.period AS month
            WHERE month.period_id = ANY(CAST(:months AS integer[]))
        )
    END
WHERE period_id = :period_id
