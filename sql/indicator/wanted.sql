-- Which indicators divisions of which depth have.
CREATE TEMPORARY TABLE wanted ON COMMIT DROP AS
SELECT indicator.indicator_id, item.*
FROM jsonb_to_recordset(CAST(:plan AS jsonb) -> 'wanted') AS item (
    indicator text, depth smallint, numerator_id smallint, denominator_id smallint, factor numeric, is_annualised boolean,
    counts_submissions boolean, spans_days boolean
)
JOIN core.indicator ON indicator.indicator = item.indicator
