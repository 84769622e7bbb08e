SELECT EXISTS (SELECT FROM core.closed_month WHERE closed_month.month = date_trunc('month', CAST(:day AS date)))
