-- Periods that the product has not computed look like one that it has.
WITH indicated AS (
    INSERT INTO mart.indicator_figure
    SELECT %(to)s, division_id, indicator_id, numerator, denominator, value, status, completeness, is_provisional, note_zh
    FROM mart.indicator_figure
    WHERE period_id = %(from)s
),

ruled AS (
    INSERT INTO mart.satisfaction_rule
    SELECT %(to)s, definition_zh, weighting_zh, confidence, fewest_shown, fewest_ranked
    FROM mart.satisfaction_rule
    WHERE period_id = %(from)s
)

UPDATE mart.period AS target
SET indicated_at = source.indicated_at, satisfied_at = source.satisfied_at
FROM mart.period AS source
WHERE target.period_id = %(to)s AND source.period_id = %(from)s
;

CREATE TEMPORARY TABLE copied ON COMMIT DROP AS
SELECT figure.* FROM mart.satisfaction_figure AS figure WHERE figure.period_id = %(from)s;

UPDATE copied SET period_id = %(to)s;

INSERT INTO mart.satisfaction_figure SELECT copied.* FROM copied
