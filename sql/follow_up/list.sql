-- The first deadline first; overdue is open after its deadline.
SELECT
    state.stat_date,
    division.division_code AS unit_code,
    place.division_name AS unit_name,
    channel.channel,
    state.due,
    state.in_time,
    state.late,
    state.open,
    state.surplus,
    state.due_on
FROM quality.follow_up_state AS state
JOIN core.division ON division.division_id = state.unit_id
JOIN core.division_period AS place
    ON place.division_id = state.unit_id AND place.valid_from <= state.stat_date AND state.stat_date < place.valid_to
JOIN core.channel ON channel.channel_id = state.channel_id
WHERE (
        CAST(:division AS text) IS NULL
        OR EXISTS (
            SELECT FROM core.division AS above
            WHERE above.division_code = :division AND above.division_id = ANY(state.division_ids)
        )
    )
    AND CASE CAST(:state AS text)
        WHEN 'open' THEN state.open > 0
        WHEN 'overdue' THEN state.open > 0 AND state.due_on < :today
        WHEN 'done' THEN state.open = 0
        ELSE true
    END
ORDER BY state.due_on, state.stat_date, division.division_code, channel.channel_id
