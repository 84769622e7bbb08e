UPDATE mart.issue SET state = 'awaiting_approval' WHERE issue_id = :issue_id AND state = 'drafted'
