SELECT DISTINCT report, division_code, period FROM mart.issue
