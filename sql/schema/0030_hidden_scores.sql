-- A score is hidden from readers only where answers went into it that are too few to be shown: not where the survey did not
-- apply or nobody was asked, and so nothing of it could be found out.
CREATE OR REPLACE VIEW mart.evaluation_hidden AS
SELECT DISTINCT part.period_id, part.scheme_id, part.division_id
FROM mart.evaluation_part AS part
WHERE part.status = 'scored' AND part.indicator_id IN (SELECT survey.indicator_id FROM core.survey_indicator AS survey)
    AND NOT (SELECT mart.may_see_survey())
    AND NOT EXISTS (
        SELECT FROM mart.satisfaction_figure AS asked
        JOIN mart.satisfaction_rule AS rule ON rule.period_id = asked.period_id
        WHERE asked.period_id = part.period_id AND asked.division_id = part.division_id
            AND asked.channel_id = 0 AND NOT asked.is_hidden AND asked.answered >= rule.fewest_shown
    );
