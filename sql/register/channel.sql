INSERT INTO core.channel (channel_id, channel, channel_name)
SELECT max(channel.channel_id) + 1, :channel, :channel_name
FROM core.channel
ON CONFLICT (channel) DO UPDATE
SET channel_name = excluded.channel_name
WHERE channel.channel_name IS DISTINCT FROM excluded.channel_name
