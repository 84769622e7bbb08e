-- The cells that make up a figure: among totals, and (is_own) among units' own figures, which have no total over channels.
CREATE TEMPORARY TABLE ref_cell ON COMMIT DROP AS
SELECT item.*
FROM jsonb_to_recordset(CAST(:plan AS jsonb) -> 'cells') AS item (ref_id smallint, cell_id smallint, is_own boolean)
