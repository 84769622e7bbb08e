-- What of a day was let through with a remark, by check and state.
SELECT remark.check_code, remark.state, count(*) AS remarks, min(remark.message) AS example
FROM mart.flag AS remark
WHERE remark.stat_date = :day
    AND (CAST(:codes AS text[]) IS NULL OR remark.unit_code = ANY(:codes) OR remark.platform = ANY(:platforms))
GROUP BY remark.check_code, remark.state
ORDER BY remarks DESC, remark.check_code, remark.state
