-- A page of the figures of a day that are asked about; what does most to the published total first.
SELECT
    question.flag_id, question.unit_code, place.division_name AS unit_name, question.level, question.check_code,
    question.measure_name, question.channel, question.value, question.effect, question.message, question.state,
    question.assignee, question.due_date, question.explanation, question.explained_by, count(*) OVER () AS rows_total
FROM mart.question
LEFT JOIN mart.division AS place
    ON place.division_code = question.unit_code AND place.valid_from <= question.stat_date
    AND question.stat_date < place.valid_to
WHERE question.stat_date = :day AND (CAST(:codes AS text[]) IS NULL OR question.unit_code = ANY(:codes))
ORDER BY question.state = 'closed', question.score DESC, question.flag_id
LIMIT :limit OFFSET :offset
