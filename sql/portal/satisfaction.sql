-- Satisfaction of a division by channel, all channels together first.
SELECT satisfaction.*, channel.channel_name
FROM mart.satisfaction
JOIN mart.channel ON channel.channel = satisfaction.channel
WHERE satisfaction.division_code = :division AND satisfaction.period = :period
ORDER BY satisfaction.channel <> 'all', satisfaction.channel
