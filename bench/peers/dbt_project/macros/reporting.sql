{% macro reporting(level, below=none) %}
with part as (
    select submission.division_code, 1 as units_reported
    from {{ ref('submission') }} as submission
    where submission.level = '{{ level }}'
{%- if below %}
    union all
    select division.parent_code, below.units_reported
    from {{ ref('reporting_' ~ below) }} as below
    join {{ source('raw', 'division') }} as division on division.code = below.division_code
{%- endif %}
)

select part.division_code, sum(part.units_reported)::integer as units_reported
from part
group by part.division_code
{% endmacro %}
