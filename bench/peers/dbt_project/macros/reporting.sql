{% macro reporting(level, below=none) %}
with part as (
    select submission.division_code, 1 as units_reported, submission.is_nil::integer as units_nil
    from {{ ref('submission') }} as submission
    where submission.level = '{{ level }}'
{%- if below %}
    union all
    select division.parent_code, below.units_reported, below.units_nil
    from {{ ref('reporting_' ~ below) }} as below
    join {{ source('raw', 'division') }} as division on division.code = below.division_code
{%- endif %}
)

select part.division_code, sum(part.units_reported)::integer as units_reported, sum(part.units_nil)::integer as units_nil
from part
group by part.division_code
{% endmacro %}
