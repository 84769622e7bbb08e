-- What pages of months, quarters and years hold for; and pages of the days from `first` to `last`, where these are given.
SELECT concat_ws(' ', mart.state_of_periods(), (
    SELECT sum(hashtextextended(rollup::text, 0))
    FROM mart.daily_rollup AS rollup
    WHERE rollup.stat_date BETWEEN CAST(:first AS date) AND CAST(:last AS date)
)) AS state
