-- What a figure of one day and data set sums.
SELECT part.*, count(*) OVER () AS rows_total, sum(part.value) OVER ()::bigint AS parts_sum
FROM mart.figure_parts_shown(:day, :dataset, :division_id, :measure, :channel) AS part
ORDER BY part.unit_code, part.channel, part.platform
LIMIT :limit OFFSET :offset
