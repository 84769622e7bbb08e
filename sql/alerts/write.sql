INSERT INTO quality.alert (
    dataset, stat_date, round, round_at, reason, recipient, level, subject_ids, open_ids, gap_ids, subject, body, state,
    created_at, not_before
)
VALUES (
    :dataset, :stat_date, :round, :round_at, :reason, :recipient, :level, :subject_ids, :open_ids, :gap_ids, :subject,
    :body, CASE WHEN CAST(:recipient AS text) IS NULL THEN 'no_contact' ELSE 'pending' END, :created_at, :not_before
)
ON CONFLICT (dataset, stat_date, round, round_at, recipient, reason) DO NOTHING
