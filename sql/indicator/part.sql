-- What sums are made of; parts is how many.
CREATE TEMPORARY TABLE part ON COMMIT DROP AS
SELECT item.*
FROM jsonb_to_recordset(CAST(:plan AS jsonb) -> 'parts') AS item (ref_id smallint, part_id smallint, parts smallint)
