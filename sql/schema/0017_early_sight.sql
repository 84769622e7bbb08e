-- Early sight: what a total will come to when everything is in, and what the coming weeks are likely to bring. Nothing here
-- ever enters a reported figure; the tables are made anew from them whenever they are asked for.

-- The estimate of a period's total over channels, for a division and measure. value: reported by then, null if nothing
-- was. expected and received: submissions of the days rolled up, as in mart.period_reporting; late: of these not received.
-- to_come: submissions expected on days that are not rolled up yet. estimate, lower, upper: the complete total and its
-- interval, null with the reason where it cannot be told.
CREATE TABLE mart.period_estimate (
    period_id integer NOT NULL,
    division_id integer NOT NULL,
    measure_id smallint NOT NULL,
    value bigint,
    expected integer NOT NULL,
    received integer NOT NULL,
    late integer NOT NULL,
    to_come integer NOT NULL,
    estimate bigint,
    lower bigint,
    upper bigint,
    probability numeric NOT NULL,
    reason_zh text,
    -- The day in Asia/Shanghai on which it was estimated.
    estimated_on date NOT NULL,
    PRIMARY KEY (period_id, division_id, measure_id),
    CHECK (num_nulls(estimate, lower, upper) = CASE WHEN reason_zh IS NULL THEN 0 ELSE 3 END),
    CHECK (lower <= estimate AND estimate <= upper)
);

-- completeness: submissions received of those expected so far; of_whole: of those expected in the whole period.
CREATE VIEW mart.estimated_total AS
SELECT
    period.period,
    division.division_code,
    place.division_name,
    place.level,
    parent.division_code AS parent_code,
    measure.measure,
    measure.measure_name,
    measure.unit,
    found.value,
    found.received::numeric / nullif(found.expected, 0) AS completeness,
    found.received::numeric / nullif(found.expected + found.to_come, 0) AS of_whole,
    found.late,
    found.to_come,
    found.late + found.to_come > 0 AND found.estimate IS NOT NULL AS is_estimate,
    found.estimate,
    found.lower,
    found.upper,
    found.probability,
    found.reason_zh,
    found.estimated_on
FROM mart.period_estimate AS found
JOIN mart.period ON period.period_id = found.period_id
JOIN mart.period_reporting AS reporting
    ON reporting.period_id = found.period_id AND reporting.division_id = found.division_id
JOIN core.division ON division.division_id = found.division_id
JOIN core.division_period AS place
    ON place.division_id = found.division_id
    AND place.valid_from <= reporting.last_day AND reporting.last_day < place.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
JOIN core.measure ON measure.measure_id = found.measure_id;

-- How a county's forecasts of a measure have been, made in the week that begins on starts_on. model_error and naive_error:
-- mean absolute errors over so many pairs of origin and week ahead, in the measure's unit. observed: the week before
-- starts_on; forecast and limit: what was forecast of it one week earlier, and what it stays below with the declared
-- probability; null unless all its days are known. question_zh: where it lies above; a question, not a verdict.
CREATE TABLE mart.forecast_measured (
    starts_on date NOT NULL CHECK (extract(isodow FROM starts_on) = 1),
    division_id integer NOT NULL,
    measure_id smallint NOT NULL,
    model_error numeric,
    naive_error numeric,
    pairs smallint NOT NULL,
    is_shown boolean NOT NULL,
    -- Why it is not shown.
    reason_zh text,
    observed bigint,
    forecast numeric,
    upper_limit numeric,
    question_zh text,
    forecast_on date NOT NULL,
    PRIMARY KEY (starts_on, division_id, measure_id),
    CHECK (is_shown = (reason_zh IS NULL)),
    CHECK (is_shown OR question_zh IS NULL)
);

-- The forecasts that are shown: only where they have been nearer than the naive way.
CREATE TABLE mart.forecast_week (
    starts_on date NOT NULL,
    division_id integer NOT NULL,
    measure_id smallint NOT NULL,
    -- Monday of the week that is forecast.
    week_date date NOT NULL,
    value numeric NOT NULL,
    lower bigint NOT NULL,
    upper bigint NOT NULL,
    PRIMARY KEY (starts_on, division_id, measure_id, week_date),
    FOREIGN KEY (starts_on, division_id, measure_id) REFERENCES mart.forecast_measured ON DELETE CASCADE
);

CREATE VIEW mart.forecast AS
SELECT
    week.starts_on,
    division.division_code,
    place.division_name,
    parent.division_code AS parent_code,
    measure.measure,
    measure.measure_name,
    measure.unit,
    week.week_date,
    week.value,
    week.lower,
    week.upper,
    measured.model_error,
    measured.naive_error,
    measured.forecast_on
FROM mart.forecast_week AS week
JOIN mart.forecast_measured AS measured USING (starts_on, division_id, measure_id)
JOIN core.division USING (division_id)
JOIN core.division_period AS place
    ON place.division_id = week.division_id
    AND place.valid_from <= measured.forecast_on AND measured.forecast_on < place.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
JOIN core.measure ON measure.measure_id = week.measure_id;

-- Weeks above what was forecast of them: to be asked about, nothing is decided by them.
CREATE VIEW mart.unusual_rise AS
SELECT
    measured.starts_on - 7 AS week_date,
    division.division_code,
    place.division_name,
    parent.division_code AS parent_code,
    measure.measure,
    measure.measure_name,
    measure.unit,
    measured.observed,
    measured.forecast,
    measured.upper_limit,
    measured.question_zh
FROM mart.forecast_measured AS measured
JOIN core.division USING (division_id)
JOIN core.division_period AS place
    ON place.division_id = measured.division_id
    AND place.valid_from <= measured.forecast_on AND measured.forecast_on < place.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id
JOIN core.measure ON measure.measure_id = measured.measure_id
WHERE measured.question_zh IS NOT NULL;
