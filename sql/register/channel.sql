INSERT INTO core.channel (channel_id, channel, channel_name)
VALUES ((SELECT max(channel_id) + 1 FROM core.channel), :channel, :channel_name)
ON CONFLICT (channel) DO UPDATE
SET channel_name = excluded.channel_name
WHERE channel.channel_name IS DISTINCT FROM excluded.channel_name
