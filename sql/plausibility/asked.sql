-- Units that have anything to do with the checks over the year to date on this day, in what counts or in what it replaced.
CREATE TEMPORARY TABLE asked ON COMMIT DROP AS
SELECT DISTINCT figure.unit_id
FROM (
    SELECT submission.unit_id, unnest(submission.cells) AS cell_id, unnest(submission.figures) AS value
    FROM core.submission
    WHERE submission.stat_date = :day AND submission.dataset = 'daily' AND submission.cells && CAST(:cells AS smallint[])
        AND (CAST(:units AS integer[]) IS NULL OR submission.unit_id = ANY(:units))
) AS figure
WHERE figure.value > 0 AND figure.cell_id = ANY(:cells);
