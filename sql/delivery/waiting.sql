SELECT delivery_id FROM mart.delivery WHERE state = 'waiting' ORDER BY issue_id, delivery_id
