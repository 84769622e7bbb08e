-- All of a period is shown, as of when it was taken. Its name stays where it was named again since, or another run took it.
WITH done AS (
    DELETE FROM mart.period_naming WHERE period = :period AND taken_at = :taken_at
)

UPDATE mart.period SET shown_from = greatest(shown_from, :taken_at) WHERE period = :period
