INSERT INTO core.scheme (scheme) VALUES (:scheme) ON CONFLICT DO NOTHING
