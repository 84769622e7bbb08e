SELECT state.due, state.due - state.open AS done
FROM quality.follow_up_state AS state
JOIN core.channel ON channel.channel_id = state.channel_id
WHERE state.stat_date = :day AND state.unit_id = :unit_id AND channel.channel = :channel
