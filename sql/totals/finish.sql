-- All of a period is shown; no other run has taken it since.
DELETE FROM mart.period_named WHERE period = :period AND taken_at = :taken_at
