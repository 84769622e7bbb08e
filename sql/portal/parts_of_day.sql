-- A page of what a figure of one day sums, as known at a moment (null: now).
SELECT part.*
FROM mart.figure_parts_as_of(
    :day, :dataset, :division_id, :measure, :channel, CAST(:moment AS timestamptz), :limit, :offset
) AS part
ORDER BY part.unit_code, part.channel, part.platform
