SELECT period FROM mart.period WHERE indicated_at IS NOT NULL
