DELETE FROM quality.flag WHERE stat_date = ANY(:days) AND known_at > :moment
