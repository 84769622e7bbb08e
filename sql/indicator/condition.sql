-- What a unit must fulfil to be counted, by the depth of its level: condition number `number` of `of`.
CREATE TEMPORARY TABLE condition ON COMMIT DROP AS
SELECT item.*
FROM jsonb_to_recordset(CAST(:plan AS jsonb) -> 'conditions') AS item (
    ref_id smallint, depth smallint, number smallint, "of" smallint, cell_id smallint, at_least bigint, is_stock boolean
)
