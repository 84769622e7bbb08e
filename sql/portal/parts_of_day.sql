-- A page of what a figure of one day sums, as known at a moment (null: now).
WITH part AS MATERIALIZED (
    SELECT found.*
    FROM mart.figure_parts_as_of(
        :day, :dataset, :division_id, :measure, :channel, CAST(:moment AS timestamptz)
    ) AS found
),

page AS (
    SELECT part.*, count(*) OVER () AS rows_total, sum(part.value) OVER ()::bigint AS parts_sum
    FROM part
    ORDER BY part.unit_code, part.channel, part.platform
    LIMIT :limit OFFSET :offset
)

SELECT page.*, batch.pulled_at, batch.received_at AS batch_received_at
FROM page
JOIN mart.ledger AS batch ON batch.batch_id = page.batch_id
ORDER BY page.unit_code, page.channel, page.platform
