DELETE FROM quality.quarantine WHERE stat_date = ANY(:days) AND known_at > :moment
