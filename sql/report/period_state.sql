-- Whether a month, quarter or year was totalled.
SELECT this.totalled_at IS NOT NULL AS is_shown FROM mart.period AS this WHERE this.period = :period
