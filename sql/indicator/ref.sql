-- What formulas refer to, each once: a measure's figure, a count of units or divisions, reports, or a sum of others. levels
-- and owing are masks of 2^depth: whose units are counted; whose nil reports mean 0.
CREATE TEMPORARY TABLE ref ON COMMIT DROP AS
SELECT item.*
FROM jsonb_to_recordset(CAST(:plan AS jsonb) -> 'refs') AS item (
    ref_id smallint, kind text, levels integer, owing integer, label text, stock_cell smallint
)
