DELETE FROM core.division_period
WHERE (division_period.division_id, division_period.valid_from) IN (
    SELECT replaced.division_id, replaced.valid_from FROM replaced
)
