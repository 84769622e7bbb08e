-- A measure of a division in the last months that have totals, each beside the same month of the year before.
WITH month AS (
    SELECT period.period_id, period.period, period.starts_on, past.period_id AS past_id
    FROM mart.period
    LEFT JOIN mart.period AS past
        ON past.kind = 'month' AND past.starts_on = period.starts_on - interval '1 year' AND past.totalled_at IS NOT NULL
    WHERE period.kind = 'month' AND period.totalled_at IS NOT NULL
    ORDER BY period.starts_on DESC
    LIMIT :months
),

figure AS MATERIALIZED (
    SELECT figure.*
    FROM mart.trend_shown(
        :division_id, :measure,
        ARRAY(SELECT unnest(ARRAY[month.period_id, month.past_id]) FROM month)
    ) AS figure
)

SELECT
    month.period,
    month.starts_on,
    figure.channel,
    figure.value,
    past.value AS value_last_year,
    figure.is_provisional
FROM month
LEFT JOIN figure ON figure.period_id = month.period_id
LEFT JOIN figure AS past ON past.period_id = month.past_id AND past.channel = figure.channel
ORDER BY month.starts_on, figure.channel <> 'all', figure.channel
