-- One row per submission, nil reports included.
select
    line.unit_code as division_code,
    division.level,
    line.stat_date,
    line.revision,
    max(line.filled_at) as filled_at,
    bool_and(line.measure = '零报告') as is_nil
from {{ source('raw', 'line') }} as line
join {{ source('raw', 'division') }} as division on division.code = line.unit_code
group by line.unit_code, division.level, line.stat_date, line.revision
