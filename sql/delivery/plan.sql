INSERT INTO mart.delivery (issue_id, target, kind)
VALUES (:issue_id, :target, :kind)
ON CONFLICT DO NOTHING
