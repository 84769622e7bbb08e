-- Satisfaction of divisions in a period, as people query it: of samples too small nothing is read.
SELECT
    satisfaction.division_code, satisfaction.channel, satisfaction.asked, satisfaction.answered,
    satisfaction.response_rate, satisfaction.delivered, satisfaction.answered_share, satisfaction.rate,
    satisfaction.rate_low, satisfaction.rate_high, satisfaction.strict_rate, satisfaction.satisfied_share,
    satisfaction.awareness, satisfaction.first_choice, satisfaction.score, satisfaction.enough, satisfaction.is_shown,
    satisfaction.rank_low, satisfaction.rank_high, satisfaction.is_leading, satisfaction.note_zh,
    satisfaction.is_provisional, satisfaction.definition_zh
FROM mart.satisfaction
WHERE satisfaction.period = :period AND satisfaction.division_code IN (SELECT unnest(CAST(:codes AS text[])))
