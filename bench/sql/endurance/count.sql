INSERT INTO public.made_month (month, days, submissions, nil, figures)
SELECT
    :first,
    count(DISTINCT stat_date),
    count(*),
    count(*) FILTER (WHERE is_nil),
    coalesce(sum(cardinality(cells)), 0)
FROM core.submission
WHERE stat_date BETWEEN :first AND :last AND dataset = 'daily'
