-- Indicators as declared, and as read. core.indicator and mart.indicator_figure stand in 0010.

-- What the catalogue says of an indicator (etl/catalog/indicator.py), in versions by when it was known; the other columns are
-- read from the declaration.
CREATE TABLE core.indicator_version (
    indicator_id smallint NOT NULL REFERENCES core.indicator,
    known_from timestamptz NOT NULL,
    known_to timestamptz NOT NULL DEFAULT 'infinity',
    position smallint NOT NULL,
    declaration jsonb NOT NULL,
    indicator_name text NOT NULL GENERATED ALWAYS AS (declaration ->> 'name_zh') STORED,
    unit text NOT NULL GENERATED ALWAYS AS (declaration ->> 'unit') STORED,
    kind text NOT NULL GENERATED ALWAYS AS (declaration ->> 'kind') STORED CHECK (kind IN ('rate', 'volume')),
    nature text GENERATED ALWAYS AS (declaration ->> 'nature') STORED CHECK (nature IN ('binding', 'expected')),
    source text NOT NULL GENERATED ALWAYS AS (declaration -> 'source' ->> 'key') STORED,
    -- What a source asks per year and is not scaled: judged on whole years only.
    is_of_whole_years boolean NOT NULL
    GENERATED ALWAYS AS (coalesce(NOT (declaration ->> 'annualised')::boolean, false)) STORED,
    PRIMARY KEY (indicator_id, known_from),
    CHECK (known_from <= known_to)
);
CREATE UNIQUE INDEX one_current_indicator_version ON core.indicator_version (indicator_id) WHERE known_to = 'infinity';

-- What is to be reached in periods that end from valid_from to valid_to, both included: the next target that falls due, and
-- after the last one that. value is null for a trend, which compares with last year.
CREATE VIEW core.indicator_target AS
WITH stated AS (
    SELECT
        version.indicator_id,
        version.known_from,
        version.known_to,
        item.number,
        level.level,
        (item.target ->> 'by')::date AS due,
        coalesce(item.target ->> 'at_least', item.target ->> 'at_most')::numeric AS value,
        item.target ->> 'trend' AS trend,
        item.target ->> 'at_most' IS NOT NULL OR item.target ->> 'trend' IS NOT DISTINCT FROM 'falling' AS is_lower_better
    FROM core.indicator_version AS version
    CROSS JOIN LATERAL jsonb_array_elements(version.declaration -> 'targets') WITH ORDINALITY AS item (target, number)
    CROSS JOIN LATERAL jsonb_array_elements_text(
        coalesce(nullif(item.target -> 'levels', 'null'::jsonb), version.declaration -> 'levels')
    ) AS level (level)
)

SELECT
    stated.indicator_id,
    stated.known_from,
    stated.known_to,
    stated.level,
    coalesce(lag(stated.due) OVER schedule + 1, '-infinity') AS valid_from,
    CASE WHEN lead(stated.number) OVER schedule IS NULL THEN 'infinity' ELSE stated.due END AS valid_to,
    stated.value,
    stated.trend,
    stated.is_lower_better
FROM stated
WINDOW schedule AS (PARTITION BY stated.indicator_id, stated.known_from, stated.level ORDER BY stated.number);

-- One row per division, period and indicator. Ratios: 1 is 100 %. mom and yoy: volumes as ratio - 1, rates as difference;
-- null beside a provisional value and where the base is missing or zero. ytd: of the year up to the period's end. target of a
-- trend: last year's value. gap: below zero is how much the target is missed by. status: met, not_met, not_applicable (nothing
-- to divide by), no_data; null where there is a value and no target.
CREATE VIEW mart.indicator_value AS
WITH comparison AS (
    SELECT
        period.period_id,
        period.period,
        period.kind,
        period.ends_on,
        previous.period_id AS previous_id,
        last_year.period_id AS last_year_id,
        to_date.period_id AS to_date_id
    FROM mart.period
    LEFT JOIN mart.period AS previous ON previous.kind = period.kind AND previous.ends_on = period.starts_on - 1
    LEFT JOIN mart.period AS last_year
        ON last_year.kind = period.kind AND last_year.starts_on = (period.starts_on - interval '1 year')::date
    LEFT JOIN mart.period AS to_date
        ON to_date.kind = 'to_date' AND to_date.ends_on = period.ends_on AND period.kind <> 'day'
    WHERE period.kind <> 'to_date'
),

held AS (
    SELECT
        figure.*,
        comparison.period,
        comparison.ends_on,
        place.division_name,
        place.level,
        place.parent_id,
        version.position,
        version.indicator_name,
        version.unit,
        version.kind,
        version.nature,
        version.source,
        previous.value AS value_previous,
        last_year.value AS value_last_year,
        CASE WHEN NOT figure.is_provisional AND NOT previous.is_provisional THEN nullif(previous.value, 0) END AS base,
        CASE WHEN NOT figure.is_provisional AND NOT last_year.is_provisional THEN nullif(last_year.value, 0) END
            AS base_last_year,
        to_date.value AS ytd,
        target.trend,
        target.is_lower_better,
        CASE
            WHEN target.trend IS NULL THEN target.value
            WHEN NOT figure.is_provisional AND NOT last_year.is_provisional THEN last_year.value
        END AS target
    FROM mart.indicator_figure AS figure
    JOIN comparison ON comparison.period_id = figure.period_id
    JOIN core.division_period AS place
        ON place.division_id = figure.division_id
        AND place.valid_from <= comparison.ends_on AND comparison.ends_on < place.valid_to
    JOIN core.indicator_version AS version
        ON version.indicator_id = figure.indicator_id AND version.known_to = 'infinity'
    LEFT JOIN mart.indicator_figure AS previous
        ON previous.period_id = comparison.previous_id AND previous.division_id = figure.division_id
        AND previous.indicator_id = figure.indicator_id
    LEFT JOIN mart.indicator_figure AS last_year
        ON last_year.period_id = comparison.last_year_id AND last_year.division_id = figure.division_id
        AND last_year.indicator_id = figure.indicator_id
    LEFT JOIN mart.indicator_figure AS to_date
        ON to_date.period_id = comparison.to_date_id AND to_date.division_id = figure.division_id
        AND to_date.indicator_id = figure.indicator_id
    LEFT JOIN core.indicator_target AS target
        ON target.indicator_id = figure.indicator_id AND target.known_to = 'infinity' AND target.level = place.level
        AND target.valid_from <= comparison.ends_on AND comparison.ends_on <= target.valid_to
        AND (comparison.kind = 'year' OR NOT version.is_of_whole_years)
)

SELECT
    division.division_code,
    held.division_name,
    held.level,
    parent.division_code AS parent_code,
    held.period,
    indicator.indicator,
    held.indicator_name,
    held.numerator,
    held.denominator,
    held.value,
    held.unit,
    held.value_previous,
    held.value_last_year,
    CASE held.kind WHEN 'rate' THEN held.value - held.base ELSE held.value / held.base - 1 END AS mom,
    CASE held.kind WHEN 'rate' THEN held.value - held.base_last_year ELSE held.value / held.base_last_year - 1 END AS yoy,
    held.ytd,
    held.target,
    CASE
        WHEN held.is_lower_better THEN held.target / nullif(held.value, 0)
        ELSE held.value / nullif(held.target, 0)
    END AS attainment,
    CASE WHEN held.is_lower_better THEN held.target - held.value ELSE held.value - held.target END AS gap,
    CASE
        WHEN held.value IS NULL THEN held.status
        WHEN held.is_lower_better IS NULL THEN NULL
        WHEN held.target IS NULL THEN 'no_data'
        WHEN held.trend = 'rising'
            THEN CASE WHEN held.value > held.target OR held.kind = 'rate' AND held.value >= 1 THEN 'met' ELSE 'not_met' END
        WHEN held.trend = 'falling'
            THEN CASE WHEN held.value < held.target OR held.value = 0 THEN 'met' ELSE 'not_met' END
        WHEN held.is_lower_better THEN CASE WHEN held.value <= held.target THEN 'met' ELSE 'not_met' END
        ELSE CASE WHEN held.value >= held.target THEN 'met' ELSE 'not_met' END
    END AS status,
    held.nature,
    held.source,
    held.is_provisional,
    held.completeness,
    held.note_zh,
    held.position
FROM held
JOIN core.division ON division.division_id = held.division_id
JOIN core.indicator ON indicator.indicator_id = held.indicator_id
LEFT JOIN core.division AS parent ON parent.division_id = held.parent_id;
