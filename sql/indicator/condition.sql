-- What a unit must fulfil to be counted: condition number `number` of `of`, by cell.
CREATE TEMPORARY TABLE condition ON COMMIT DROP AS
SELECT item.*
FROM jsonb_to_recordset(CAST(:plan AS jsonb) -> 'conditions') AS item (
    ref_id smallint, number smallint, "of" smallint, cell_id smallint, at_least bigint, is_stock boolean
)
