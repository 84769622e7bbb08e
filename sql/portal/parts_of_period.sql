-- The days that a figure of a period sums.
SELECT part.*, count(*) OVER () AS rows_total, sum(part.value) OVER ()::bigint AS parts_sum
FROM mart.figure_days_shown(:first, :last, :division_id, :measure, :channel) AS part
ORDER BY part.stat_date
LIMIT :limit OFFSET :offset
