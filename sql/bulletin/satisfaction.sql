-- Satisfaction of divisions over all channels; what is not to be shown is not read.
SELECT
    satisfaction.division_code, satisfaction.period, satisfaction.asked, satisfaction.answered,
    satisfaction.response_rate, satisfaction.rate, satisfaction.rate_low, satisfaction.rate_high,
    satisfaction.strict_rate, satisfaction.satisfied_share, satisfaction.answered_share, satisfaction.enough,
    satisfaction.is_shown, satisfaction.note_zh, satisfaction.rank_low, satisfaction.rank_high,
    satisfaction.is_leading, satisfaction.is_provisional, satisfaction.definition_zh, satisfaction.confidence
FROM mart.satisfaction AS satisfaction
WHERE satisfaction.period = ANY(:periods) AND satisfaction.channel = 'all'
    AND satisfaction.division_code = ANY(:divisions)
