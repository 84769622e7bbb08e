-- The same list loaded a second time for the same day replaces what the first opened.
DELETE FROM core.division_period
WHERE valid_from = CAST(:valid_from AS date) AND valid_to = 'infinity' AND valid_from <> '-infinity'
