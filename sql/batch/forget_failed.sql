-- A failure of the same batch, or of the platform's whole day, is over once something whole has come.
DELETE FROM landing.batch
WHERE platform_id = :platform_id AND dataset = :dataset AND stat_date = :stat_date AND state = 'failed'
    AND (source_name = :source_name OR source_name = '')
