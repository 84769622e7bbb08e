-- The periods as they shall stand once the list is valid: those in force on its eve, ended where the list lacks the
-- division or shows it otherwise, and those the list opens. Loading a list again for the same day starts from its eve.
CREATE TEMPORARY TABLE wanted ON COMMIT DROP AS
WITH listing AS (
    SELECT division.division_id, listed.division_name, listed.level, parent.division_id AS parent_id
    FROM listed
    JOIN core.division ON division.division_code = listed.division_code
    LEFT JOIN core.division AS parent ON parent.division_code = listed.parent_code
),

eve AS (
    SELECT
        period.division_id,
        period.valid_from,
        period.division_name,
        period.level,
        period.parent_id,
        listing.division_id IS NOT NULL
        AND (listing.division_name, listing.level, listing.parent_id)
            IS NOT DISTINCT FROM (period.division_name, period.level, period.parent_id) AS goes_on
    FROM core.division_period AS period
    LEFT JOIN listing ON listing.division_id = period.division_id
    WHERE period.valid_from < CAST(:valid_from AS date) AND period.valid_to >= CAST(:valid_from AS date)
)

SELECT
    eve.division_id,
    eve.valid_from,
    CASE WHEN eve.goes_on THEN 'infinity' ELSE CAST(:valid_from AS date) END AS valid_to,
    eve.division_name,
    eve.level,
    eve.parent_id
FROM eve
UNION ALL
SELECT
    listing.division_id,
    CAST(:valid_from AS date),
    'infinity',
    listing.division_name,
    listing.level,
    listing.parent_id
FROM listing
WHERE NOT EXISTS (SELECT FROM eve WHERE eve.division_id = listing.division_id AND eve.goes_on)
