INSERT INTO quality.follow_up (
    stat_date, unit_id, channel_id, people, done_on, result, done_by, reason, recorded_at
)
SELECT :day, :unit_id, channel.channel_id, :people, :done_on, :result, :name, :reason, :moment
FROM core.channel
WHERE channel.channel = :channel
RETURNING follow_up_id
