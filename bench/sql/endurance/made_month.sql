-- What was made, month by month.
CREATE TABLE IF NOT EXISTS public.made_month (
    month date PRIMARY KEY, days integer, submissions bigint, nil bigint, figures bigint
)
