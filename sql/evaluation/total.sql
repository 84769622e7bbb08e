-- Each division's score, grade and ranks. Sums first, divides last: equal scores are equal to the last digit. A score with a
-- part that is made of too few answers to be shown is not shown (mart.evaluation_unseen), and so it is not ranked: a gap in
-- the ranks of the others would tell between which scores it lies (ruling 18).
CREATE TEMPORARY TABLE total ON COMMIT DROP AS
WITH summed AS (
    SELECT
        part.division_id,
        coalesce(sum(part.counted * part.points), 0) / nullif(sum(part.counted), 0) AS points,
        bool_or(part.is_provisional) AS is_provisional,
        count(*) FILTER (WHERE part.status = 'scored') AS items_scored,
        count(*) FILTER (WHERE part.status = 'missing') AS items_missing,
        count(*) FILTER (WHERE part.status = 'not_applicable') AS items_not_applicable
    FROM part
    GROUP BY part.division_id
),

adjusted AS (
    SELECT
        place.division_id,
        least(
            CAST(:most_bonus AS numeric), coalesce(sum(evidence.points) FILTER (WHERE evidence.kind = 'bonus'), 0)
        ) AS bonus,
        coalesce(sum(evidence.points) FILTER (WHERE evidence.kind = 'deduction'), 0) AS deduction,
        bool_or(evidence.kind = 'veto') AS is_vetoed
    FROM jsonb_to_recordset(CAST(:evidence AS jsonb)) AS evidence (division text, kind text, points numeric)
    JOIN place ON place.division_code = evidence.division
    GROUP BY place.division_id
),

unseen AS (
    SELECT DISTINCT part.division_id
    FROM part
    JOIN core.survey_indicator AS survey ON survey.indicator_id = part.indicator_id
    JOIN mart.satisfaction_figure AS asked ON asked.division_id = part.division_id
    JOIN mart.satisfaction_rule AS shown_from ON shown_from.period_id = asked.period_id
    WHERE part.status = 'scored' AND asked.period_id = :period_id AND asked.channel_id = 0
        AND (asked.is_hidden OR asked.answered < shown_from.fewest_shown)
),

scored AS (
    SELECT
        place.division_id,
        place.level,
        place.parent_id,
        place.top_id,
        greatest(
            0, trim_scale(round(summed.points + coalesce(adjusted.bonus, 0) - coalesce(adjusted.deduction, 0), 10))
        ) AS score,
        summed.points IS NOT NULL AS is_scored,
        summed.is_provisional,
        place.division_id IN (SELECT unseen.division_id FROM unseen) AS is_unseen,
        coalesce(adjusted.is_vetoed, false) AS is_vetoed,
        coalesce(adjusted.bonus, 0) AS bonus,
        coalesce(adjusted.deduction, 0) AS deduction,
        summed.items_scored,
        summed.items_missing,
        summed.items_not_applicable
    FROM place
    JOIN summed ON summed.division_id = place.division_id
    LEFT JOIN adjusted ON adjusted.division_id = place.division_id
),

shown AS (
    SELECT
        scored.*,
        round(scored.score, 2) AS published,
        scored.is_scored AND NOT scored.is_provisional AND NOT scored.is_unseen AND scored.parent_id IS NOT NULL
            AS is_ranked
    FROM scored
)

SELECT
    shown.division_id,
    shown.level,
    shown.parent_id,
    CASE WHEN shown.is_scored THEN shown.score END AS score,
    CASE WHEN shown.is_scored THEN (
        SELECT grade.name
        FROM jsonb_to_recordset(CAST(:grades AS jsonb)) AS grade (name text, at_least numeric)
        WHERE grade.at_least <= CASE WHEN shown.is_vetoed THEN 0 ELSE shown.published END
        ORDER BY grade.at_least DESC
        LIMIT 1
    ) END AS grade,
    CASE WHEN shown.is_ranked THEN rank() OVER (
        PARTITION BY shown.is_ranked, shown.level, shown.parent_id ORDER BY shown.is_vetoed, shown.published DESC
    ) END AS rank_in_parent,
    CASE WHEN shown.is_ranked THEN rank() OVER (
        PARTITION BY shown.is_ranked, shown.level, shown.top_id ORDER BY shown.is_vetoed, shown.published DESC
    ) END AS rank_in_province,
    shown.is_provisional,
    shown.is_vetoed,
    shown.bonus,
    shown.deduction,
    shown.items_scored,
    shown.items_missing,
    shown.items_not_applicable
FROM shown
