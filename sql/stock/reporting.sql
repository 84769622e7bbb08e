-- Every division that has to do with the month, and what became of its own unit.
INSERT INTO mart.stock_reporting (
    stat_date, division_id, is_leaf, is_expected, is_reported, is_nil, lacking
)
WITH owed AS MATERIALIZED (
    SELECT level.depth, array_agg(cell.cell_id ORDER BY cell.cell_id) AS cells
    FROM core.level
    JOIN core.measure ON measure.kind = 'stock' AND level.level = ANY(measure.levels)
    JOIN core.cell ON cell.measure_id = measure.measure_id AND cell.channel_id = 0
    WHERE measure.measure = ANY(:measures)
    GROUP BY level.depth
),

sent AS MATERIALIZED (
    SELECT submission.unit_id, submission.is_nil, submission.cells
    FROM core.submission
    WHERE submission.stat_date = :day AND submission.dataset = 'stocks' AND submission.known_to = 'infinity'
        AND NOT submission.is_withdrawn
),

sender AS (
    SELECT sent.unit_id, bool_and(sent.is_nil) AS is_nil
    FROM sent
    GROUP BY sent.unit_id
),

-- Units that brought all they owe in one submission: nearly all of them.
complete AS (
    SELECT DISTINCT sent.unit_id
    FROM sent
    JOIN touched ON touched.division_id = sent.unit_id
    JOIN owed ON owed.depth = touched.depth
    WHERE owed.cells <@ sent.cells
),

-- Of the others, what they brought in all.
brought AS (
    SELECT sent.unit_id, array_agg(DISTINCT cell.cell_id) AS cells
    FROM sent
    CROSS JOIN LATERAL unnest(sent.cells) AS cell (cell_id)
    WHERE sent.unit_id NOT IN (SELECT complete.unit_id FROM complete)
    GROUP BY sent.unit_id
)

SELECT
    :day,
    touched.division_id,
    touched.is_leaf,
    touched.is_expected,
    sender.unit_id IS NOT NULL,
    coalesce(sender.is_nil, false),
    CASE
        WHEN complete.unit_id IS NULL AND (touched.is_expected OR sender.is_nil) THEN ARRAY(
            SELECT cell.cell_id
            FROM unnest(owed.cells) AS cell (cell_id)
            WHERE cell.cell_id <> ALL(coalesce(brought.cells, '{}'))
        )
        ELSE '{}'
    END
FROM touched
LEFT JOIN owed ON owed.depth = touched.depth
LEFT JOIN sender ON sender.unit_id = touched.division_id
LEFT JOIN complete ON complete.unit_id = touched.division_id
LEFT JOIN brought ON brought.unit_id = touched.division_id
