-- What units reported of a day themselves, nothing of those below them; channel 'all' is the total.
WITH own AS MATERIALIZED (
    SELECT division.division_code, known.measure, known.channel, sum(count.value)::bigint AS value
    FROM core.daily_count AS count
    JOIN core.division ON division.division_id = count.unit_id
    JOIN core.cell_name AS known ON known.cell_id = count.cell_id
    WHERE count.stat_date = :last_day AND division.division_code IN (SELECT unnest(CAST(:codes AS text[])))
        AND known.measure = ANY(:measures)
    GROUP BY division.division_code, known.measure, known.channel
)

SELECT
    own.division_code,
    own.measure,
    CASE WHEN grouping(own.channel) = 1 THEN 'all' ELSE own.channel END AS channel,
    sum(own.value)::bigint AS value
FROM own
GROUP BY GROUPING SETS ((own.division_code, own.measure, own.channel), (own.division_code, own.measure))
