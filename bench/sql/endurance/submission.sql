-- A month of daily submissions of every unit at realistic density, drawn by hashing unit, cell and day. Three villages of
-- ten report something on 45 % of the days, the others on 5 %, all else is nil; a village does few kinds of things, a
-- township most and a county nearly all. A part (mediation settled) never exceeds its whole (accepted): a unit that
-- reports at all reports every whole, of at least 4 in two channels, and a part is at most 2 in each.
INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, filled_at, known_from, is_nil, cells,
    figures, row_numbers
)
WITH unit AS MATERIALIZED (
    SELECT
        period.division_id AS unit_id,
        period.level,
        left(division.division_code, 6) AS county,
        CASE
            WHEN period.level <> 'village' THEN 1024
            WHEN (hashint8(period.division_id * 7919::bigint) & 1023) < 307 THEN 461
            ELSE 51
        END AS reporting
    FROM core.division_period AS period
    JOIN core.division USING (division_id)
    WHERE period.level IN ('county', 'township', 'village') AND division.division_code LIKE :area
        AND period.valid_from <= :first AND :first < period.valid_to
),

cell AS MATERIALIZED (
    SELECT
        level.level,
        cell.cell_id,
        measure.kind = 'survey' AS is_survey,
        cell.channel_id,
        measure.measure = ANY(:wholes) AS is_whole,
        measure.measure = ANY(:parts) AS is_part,
        -- One survey of ten answers: nine are content, eight know the service.
        array_position(
            ARRAY[
                'survey_asked', 'survey_answered', 'aware', 'very_satisfied', 'first_choice', 'satisfied',
                'basically_satisfied', 'dissatisfied'
            ],
            measure.measure
        ) AS place
    FROM core.cell
    JOIN core.measure USING (measure_id)
    CROSS JOIN unnest(measure.levels) AS level (level)
    WHERE cell.channel_id <> 0 AND measure.kind IN ('flow', 'survey')
),

sent AS MATERIALIZED (
    SELECT
        day.stat_date,
        unit.*,
        (hashint8(unit.unit_id * 64::bigint + day.number) & 1023) < unit.reporting AS is_reporting,
        day.number
    FROM unit
    CROSS JOIN (
        SELECT CAST(:first AS date) + number - 1 AS stat_date, number
        FROM generate_series(1, CAST(:last AS date) - CAST(:first AS date) + 1) AS number
    ) AS day
),

figure AS (
    SELECT
        sent.stat_date,
        sent.unit_id,
        cell.cell_id,
        CASE
            WHEN cell.is_survey THEN (ARRAY[20, 10, 8, 6, 5, 2, 1, 1])[cell.place]
            WHEN cell.is_part THEN 1 + (hashint8(sent.unit_id * 3::bigint + cell.cell_id + sent.number) & 1)
            WHEN cell.is_whole THEN 4 + (hashint8(sent.unit_id * 5::bigint + cell.cell_id + sent.number) & 3)
            ELSE 1 + (hashint8(sent.unit_id * 7::bigint + cell.cell_id * 32 + sent.number) & 7)
        END AS value
    FROM sent
    JOIN cell ON cell.level = sent.level
    WHERE sent.is_reporting
        AND CASE
            -- A survey is made in one channel at a time.
            WHEN cell.is_survey THEN
                cell.place IS NOT NULL
                AND (hashint8(sent.unit_id * 64::bigint + sent.number + cell.channel_id * 4099) & 1023)
                    < CASE sent.level WHEN 'village' THEN 10 ELSE 100 END
            WHEN cell.is_whole THEN sent.level <> 'village' OR cell.channel_id < 3
            ELSE
                (hashint8(sent.unit_id * 4096::bigint + cell.cell_id) & 1023)
                < CASE sent.level WHEN 'village' THEN :village_habit WHEN 'township' THEN 600 ELSE 850 END
                AND (hashint8((sent.unit_id * 1024::bigint + cell.cell_id) * 32 + sent.number) & 1023) < 700
        END
),

report AS (
    SELECT
        figure.stat_date,
        figure.unit_id,
        array_agg(figure.cell_id ORDER BY figure.cell_id) AS cells,
        array_agg(figure.value::bigint ORDER BY figure.cell_id) AS figures
    FROM figure
    GROUP BY figure.stat_date, figure.unit_id
)

SELECT
    sent.stat_date,
    sent.unit_id,
    batch.platform_id,
    batch.batch_id,
    'daily',
    1,
    (sent.stat_date + time '15:00') AT TIME ZONE 'Asia/Shanghai'
    + (hashint8(sent.unit_id * 64::bigint + sent.number) & 127) * interval '1 minute',
    to_char(sent.stat_date + time '17:00' + (sent.unit_id % 60) * interval '1 minute', 'YYYY-MM-DD HH24:MI:SS'),
    (sent.stat_date + time '18:40') AT TIME ZONE 'Asia/Shanghai',
    report.cells IS NULL,
    report.cells,
    report.figures,
    CASE
        WHEN report.cells IS NOT NULL
            THEN ARRAY(
                SELECT sent.unit_id % 4000 + line
                FROM generate_series(1, cardinality(report.cells)) AS line
            )
    END
FROM sent
JOIN landing.batch ON batch.stat_date = sent.stat_date AND batch.scope = sent.county AND batch.dataset = 'daily'
LEFT JOIN report ON report.stat_date = sent.stat_date AND report.unit_id = sent.unit_id
ORDER BY sent.stat_date, coalesce(cardinality(report.cells), 0) DESC, sent.unit_id
