INSERT INTO landing.dropped_object (sha256, bytes, rows_found, dropped_at)
VALUES (:sha256, :bytes, :rows_found, clock_timestamp())
ON CONFLICT (sha256) DO NOTHING
