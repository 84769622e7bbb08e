-- Answers by channel of every division that has any, in the period and in the months that it is made of; and the division
-- above it then. The numbers of the periods are named for each table: joined alone, all years would be read.
CREATE TEMPORARY TABLE satisfaction_answer ON COMMIT DROP AS
WITH counted AS (
    SELECT cell.cell_id, cell.channel_id
    FROM core.cell
    JOIN core.measure ON measure.measure_id = cell.measure_id
    WHERE cell.channel_id <> 0 AND measure.measure = 'survey_answered'
),

figure AS (
    SELECT total.period_id, total.division_id, counted.channel_id, total.value
    FROM mart.period_total AS total
    JOIN counted ON counted.cell_id = total.cell_id
    WHERE total.period_id = ANY(:period_ids)
    UNION ALL
    SELECT own.period_id, own.unit_id, counted.channel_id, own.value
    FROM (
        SELECT own.period_id, own.unit_id, unnest(own.cells) AS cell_id, unnest(own.figures) AS value
        FROM mart.unit_sum AS own
        WHERE own.period_id = ANY(:period_ids) AND own.cells && (SELECT array_agg(counted.cell_id) FROM counted)
    ) AS own
    JOIN counted ON counted.cell_id = own.cell_id
    JOIN mart.period_reporting AS leaf
        ON leaf.period_id = own.period_id AND leaf.division_id = own.unit_id AND leaf.is_leaf
        AND leaf.period_id = ANY(:period_ids)
)

SELECT figure.period_id, figure.division_id, division.division_code, place.parent_id, figure.channel_id, figure.value
FROM figure
JOIN mart.period_reporting AS reporting
    ON reporting.period_id = figure.period_id AND reporting.division_id = figure.division_id
    AND reporting.period_id = ANY(:period_ids)
JOIN core.division ON division.division_id = figure.division_id
JOIN core.division_period AS place
    ON place.division_id = figure.division_id
    AND place.valid_from <= reporting.last_day AND reporting.last_day < place.valid_to
WHERE figure.value > 0
