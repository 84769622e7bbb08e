-- Performance evaluation (绩效评价): schemes as they were known, and scores that open into their parts.

CREATE TABLE core.scheme (
    scheme_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scheme text NOT NULL UNIQUE
);

-- What a version of a scheme declared, from one evaluation to the next that finds it changed.
CREATE TABLE core.scheme_version (
    scheme_version_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scheme_id smallint NOT NULL REFERENCES core.scheme,
    version text NOT NULL,
    scheme_name text NOT NULL,
    -- SHA-256 of content.
    digest text NOT NULL,
    content jsonb NOT NULL,
    known_from timestamptz NOT NULL,
    known_to timestamptz NOT NULL DEFAULT 'infinity',
    CHECK (known_from <= known_to)
);
CREATE UNIQUE INDEX ON core.scheme_version (version) WHERE known_to = 'infinity';

-- One evaluation of a period by a scheme. terms: the rules as they were applied, targets and directions settled, with the
-- evidence; with them and the figures in mart.evaluation_part every score can be made again. digest: SHA-256 of terms.
CREATE TABLE mart.evaluation_run (
    period_id integer NOT NULL,
    scheme_id smallint NOT NULL,
    scheme_version_id integer NOT NULL,
    digest text NOT NULL,
    terms jsonb NOT NULL,
    evaluated_at timestamptz NOT NULL,
    PRIMARY KEY (period_id, scheme_id)
);

-- How an indicator was scored at a level. Values are in the indicator's unit (rates: 1 = 100 %), points are of 100.
CREATE TABLE mart.evaluation_rule (
    period_id integer NOT NULL,
    scheme_id smallint NOT NULL,
    level text NOT NULL,
    indicator_id smallint NOT NULL,
    position smallint NOT NULL,
    category text NOT NULL,
    aspect text NOT NULL,
    weight numeric NOT NULL,
    -- What does not apply to a level has its weight spread over the rest.
    applies boolean NOT NULL,
    method text NOT NULL CHECK (method IN ('target_ratio', 'efficacy', 'stepped', 'rank_percentile', 'pass_fail')),
    is_lower_better boolean,
    target numeric,
    floor numeric,
    cap numeric,
    lowest numeric,
    highest numeric,
    steps jsonb,
    -- What becomes of the weight when there is no data.
    missing text NOT NULL CHECK (missing IN ('zero', 'spread')),
    PRIMARY KEY (period_id, scheme_id, level, indicator_id)
);

-- What an indicator brought a division. points: of 100, or cap times as many; score: points by the effective weight.
CREATE TABLE mart.evaluation_part (
    period_id integer NOT NULL,
    scheme_id smallint NOT NULL,
    division_id integer NOT NULL,
    indicator_id smallint NOT NULL,
    level text NOT NULL,
    status text NOT NULL CHECK (status IN ('scored', 'missing', 'not_applicable')),
    numerator numeric,
    denominator numeric,
    value numeric,
    is_provisional boolean NOT NULL,
    note_zh text,
    -- Of rank_percentile: how many others there are, provisional ones left out, and how many of them are better.
    peers integer,
    better integer,
    points numeric,
    effective_weight numeric NOT NULL,
    -- Null where the weight is spread over the rest.
    score numeric,
    PRIMARY KEY (period_id, division_id, scheme_id, indicator_id)
);

-- score: the parts plus bonus minus deduction, at least 0, to ten decimals. Grades and ranks go by two decimals, as scores
-- are published. Provisional scores have no rank; vetoed divisions have the last grade and rank behind all others.
CREATE TABLE mart.evaluation_score (
    period_id integer NOT NULL,
    scheme_id smallint NOT NULL,
    division_id integer NOT NULL,
    level text NOT NULL,
    parent_id integer,
    score numeric,
    grade text,
    rank_in_parent integer,
    rank_in_province integer,
    is_provisional boolean NOT NULL,
    is_vetoed boolean NOT NULL,
    bonus numeric NOT NULL,
    deduction numeric NOT NULL,
    items_scored smallint NOT NULL,
    items_missing smallint NOT NULL,
    items_not_applicable smallint NOT NULL,
    PRIMARY KEY (period_id, division_id, scheme_id)
);

CREATE TABLE mart.evaluation_evidence (
    period_id integer NOT NULL,
    scheme_id smallint NOT NULL,
    division_id integer NOT NULL,
    evidence text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('bonus', 'deduction', 'veto')),
    points numeric,
    reason text NOT NULL,
    file text NOT NULL,
    sha256 text NOT NULL,
    PRIMARY KEY (period_id, scheme_id, evidence)
);

-- A number as sentences show it: at most four decimals, no trailing zeros.
CREATE FUNCTION mart.plain(number numeric) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT trim_scale(round(number, 4))::text $$;

-- Why a part has its score, in Chinese.
CREATE FUNCTION mart.score_reason(rule mart.evaluation_rule, part mart.evaluation_part) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT
        CASE
            WHEN NOT rule.applies THEN '本指标不适用于该层级，权重分摊到其他指标'
            WHEN part.status = 'not_applicable' AND part.value IS NOT NULL THEN '没有可比较的同级单位，权重分摊到其他指标'
            WHEN part.status = 'not_applicable' THEN '分母为零，本期不适用，权重分摊到其他指标'
            WHEN part.status = 'missing' AND rule.missing = 'zero' THEN '缺少数据，本项不得分'
            WHEN part.status = 'missing' THEN '缺少数据，权重分摊到其他指标'
            WHEN rule.method = 'target_ratio' THEN format(
                '目标值法：指标值%s，目标值%s%s，完成程度按%s%%计（上限%s%%）',
                mart.plain(part.value), mart.plain(rule.target), CASE WHEN rule.is_lower_better THEN '（越低越好）' END,
                mart.plain(part.points), mart.plain(100 * rule.cap)
            )
            WHEN rule.method = 'efficacy' THEN format(
                '功效系数法：60+40×(%s−%s)÷(%s−%s)，限于%s至%s分，计%s分',
                mart.plain(part.value), mart.plain(rule.floor), mart.plain(rule.target), mart.plain(rule.floor),
                mart.plain(rule.lowest), mart.plain(rule.highest), mart.plain(part.points)
            )
            WHEN rule.method = 'stepped' AND part.points = 0 THEN format(
                '分档计分：指标值%s，未达到得分档次，计0分', mart.plain(part.value)
            )
            WHEN rule.method = 'stepped' THEN format(
                '分档计分：指标值%s，计%s分', mart.plain(part.value), mart.plain(part.points)
            )
            WHEN rule.method = 'rank_percentile' THEN format(
                '排名计分：指标值%s，在%s个同级单位中列第%s位，计%s分',
                mart.plain(part.value), part.peers + 1, part.better + 1, mart.plain(part.points)
            )
            WHEN part.points = 100 THEN format(
                '达标计分：指标值%s，目标值%s，达标', mart.plain(part.value), mart.plain(rule.target)
            )
            ELSE format(
                '达标计分：指标值%s，目标值%s，未达标，不得分', mart.plain(part.value), mart.plain(rule.target)
            )
        END
        || CASE WHEN part.is_provisional THEN '；初步数据' ELSE '' END
        || CASE WHEN rule.applies THEN coalesce('；' || nullif(part.note_zh, ''), '') ELSE '' END
$$;

CREATE VIEW mart.evaluation AS
SELECT
    division.division_code,
    place.division_name,
    score.level,
    parent.division_code AS parent_code,
    period.period,
    scheme.scheme,
    score.score,
    score.grade,
    score.rank_in_parent,
    score.rank_in_province,
    score.is_provisional,
    score.is_vetoed,
    score.bonus,
    score.deduction,
    score.items_scored,
    score.items_missing,
    score.items_not_applicable,
    version.scheme_name,
    version.version AS scheme_version,
    run.digest,
    run.evaluated_at
FROM mart.evaluation_score AS score
JOIN mart.period AS period ON period.period_id = score.period_id
JOIN mart.evaluation_run AS run ON run.period_id = score.period_id AND run.scheme_id = score.scheme_id
JOIN core.scheme AS scheme ON scheme.scheme_id = score.scheme_id
JOIN core.scheme_version AS version ON version.scheme_version_id = run.scheme_version_id
JOIN core.division AS division ON division.division_id = score.division_id
JOIN core.division_period AS place
    ON place.division_id = score.division_id
    AND place.valid_from <= period.ends_on AND period.ends_on < place.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = score.parent_id;

CREATE VIEW mart.evaluation_item AS
SELECT
    division.division_code,
    place.division_name,
    part.level,
    parent.division_code AS parent_code,
    period.period,
    scheme.scheme,
    indicator.indicator,
    rule.position,
    rule.category,
    rule.aspect,
    rule.weight,
    part.effective_weight,
    rule.method,
    part.numerator,
    part.denominator,
    part.value,
    rule.target,
    part.status,
    part.is_provisional,
    part.points,
    part.score,
    mart.score_reason(rule, part) AS reason
FROM mart.evaluation_part AS part
JOIN mart.evaluation_rule AS rule
    ON rule.period_id = part.period_id AND rule.scheme_id = part.scheme_id AND rule.level = part.level
    AND rule.indicator_id = part.indicator_id
JOIN mart.period AS period ON period.period_id = part.period_id
JOIN core.scheme AS scheme ON scheme.scheme_id = part.scheme_id
JOIN core.indicator AS indicator ON indicator.indicator_id = part.indicator_id
JOIN core.division AS division ON division.division_id = part.division_id
JOIN core.division_period AS place
    ON place.division_id = part.division_id
    AND place.valid_from <= period.ends_on AND period.ends_on < place.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = place.parent_id;
