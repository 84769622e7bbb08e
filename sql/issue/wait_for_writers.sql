-- Waits until nobody writes a day that was ever written, and lets nobody begin until the transaction ends (take_day).
SELECT pg_advisory_xact_lock_shared(:lock, rollup.stat_date - date '0001-01-01' + 1)
FROM (
    SELECT daily.stat_date FROM mart.daily_rollup AS daily WHERE daily.stat_date BETWEEN :first AND :last
    UNION
    SELECT stocks.stat_date FROM mart.stock_rollup AS stocks WHERE stocks.stat_date BETWEEN :first AND :last
    ORDER BY 1
) AS rollup
