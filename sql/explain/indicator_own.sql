-- What units at or below the division counted themselves over the period, all channels together.
WITH RECURSIVE below AS (
    SELECT place.division_id, place.division_name, place.level
    FROM core.division_period AS place
    JOIN core.division ON division.division_id = place.division_id
    WHERE division.division_code = :division AND place.valid_from <= :last_day AND :last_day < place.valid_to
    UNION ALL
    SELECT place.division_id, place.division_name, place.level
    FROM below
    JOIN core.division_period AS place ON place.parent_id = below.division_id
    WHERE place.valid_from <= :last_day AND :last_day < place.valid_to
)

SELECT
    division.division_code AS unit_code,
    below.division_name AS unit_name,
    NULL::date AS stat_date,
    measure.measure,
    NULL::text AS channel,
    sum(own.value)::bigint AS value
FROM below
JOIN mart.period_own AS own ON own.period_id = :period_id AND own.unit_id = below.division_id
JOIN core.cell ON cell.cell_id = own.cell_id
JOIN core.measure ON measure.measure_id = cell.measure_id AND measure.measure = ANY(:measures)
JOIN core.division ON division.division_id = below.division_id
WHERE below.level = ANY(:levels)
GROUP BY division.division_code, below.division_name, measure.measure
ORDER BY division.division_code, measure.measure
