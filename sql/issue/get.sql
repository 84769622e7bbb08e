SELECT * FROM mart.issue WHERE issue_id = :issue_id
