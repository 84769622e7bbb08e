UPDATE mart.issue SET manifest_sha256 = :sha256 WHERE issue_id = :issue_id
