SELECT
    figure.period_id,
    figure.division_id,
    division.division_code,
    period.period,
    indicator.indicator,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.status,
    figure.is_provisional,
    figure.completeness,
    figure.note_zh
FROM mart.indicator_figure AS figure
JOIN mart.period ON period.period_id = figure.period_id AND period.period = :period
JOIN core.division ON division.division_id = figure.division_id AND division.division_code = :division
JOIN core.indicator ON indicator.indicator_id = figure.indicator_id AND indicator.indicator = :indicator
