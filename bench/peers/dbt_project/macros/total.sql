{% macro total(level, below) %}
with part as (
    select
        division.parent_code as division_code,
        below.measure,
        below.channel,
        below.value
    from {{ ref('total_' ~ below) if below != 'village' else ref('figure') }} as below
    join {{ source('raw', 'division') }} as division on division.code = below.division_code
    where division.level = '{{ below }}' and below.channel <> 'all'
    union all
    select figure.division_code, figure.measure, figure.channel, figure.value
    from {{ ref('figure') }} as figure
    where figure.level = '{{ level }}'
),

summed as (
    select part.division_code, part.measure, part.channel, sum(part.value)::bigint as value
    from part
    group by part.division_code, part.measure, part.channel
)

select summed.division_code, summed.measure, summed.channel, summed.value
from summed
union all
select summed.division_code, summed.measure, 'all', sum(summed.value)::bigint
from summed
group by summed.division_code, summed.measure
{% endmacro %}
