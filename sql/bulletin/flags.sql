-- Remarks and questions about the days of a period, of units of a division, by state.
SELECT flag.state, count(*) AS flags
FROM quality.flag
WHERE flag.stat_date BETWEEN :first AND :last AND flag.unit_code = ANY(:codes)
GROUP BY flag.state
ORDER BY flag.state
