SELECT DISTINCT report, period FROM mart.issue
