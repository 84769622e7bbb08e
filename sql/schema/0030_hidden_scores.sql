-- Scores that answers went into which are too few to be shown: not those where the survey did not apply or nobody was asked,
-- of which nothing could be found out.
CREATE VIEW mart.evaluation_unseen AS
SELECT DISTINCT part.period_id, part.scheme_id, part.division_id
FROM mart.evaluation_part AS part
WHERE part.status = 'scored' AND part.indicator_id IN (SELECT survey.indicator_id FROM core.survey_indicator AS survey)
    AND NOT EXISTS (
        SELECT FROM mart.satisfaction_figure AS asked
        JOIN mart.satisfaction_rule AS rule ON rule.period_id = asked.period_id
        WHERE asked.period_id = part.period_id AND asked.division_id = part.division_id
            AND asked.channel_id = 0 AND NOT asked.is_hidden AND asked.answered >= rule.fewest_shown
    );

-- Those hidden from who asks.
CREATE OR REPLACE VIEW mart.evaluation_hidden AS
SELECT unseen.period_id, unseen.scheme_id, unseen.division_id
FROM mart.evaluation_unseen AS unseen
WHERE NOT (SELECT mart.may_see_survey());
