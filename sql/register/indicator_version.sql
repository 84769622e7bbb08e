-- Versions whose declaration changed or is gone end; what is declared anew begins.
WITH declared AS (
    SELECT indicator.indicator_id, item.position, item.declaration
    FROM jsonb_to_recordset(CAST(:declared AS jsonb)) AS item (code text, position smallint, declaration jsonb)
    JOIN core.indicator ON indicator.indicator = item.code
),

moment AS (
    SELECT clock_timestamp() AS known_from
),

ended AS (
    UPDATE core.indicator_version AS version
    SET known_to = moment.known_from
    FROM moment
    WHERE version.known_to = 'infinity'
        AND NOT EXISTS (
            SELECT FROM declared
            WHERE declared.indicator_id = version.indicator_id AND declared.position = version.position
                AND declared.declaration = version.declaration
        )
    RETURNING version.indicator_id
),

kept AS (
    SELECT version.indicator_id
    FROM core.indicator_version AS version
    WHERE version.known_to = 'infinity' AND version.indicator_id NOT IN (SELECT ended.indicator_id FROM ended)
)

INSERT INTO core.indicator_version (indicator_id, known_from, position, declaration)
SELECT declared.indicator_id, moment.known_from, declared.position, declared.declaration
FROM declared
CROSS JOIN moment
WHERE declared.indicator_id NOT IN (SELECT kept.indicator_id FROM kept)
