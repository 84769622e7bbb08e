-- One row per figure that a unit reports: no sums of the sender's own, no nil reports.
select
    line.unit_code as division_code,
    division.level,
    measure.code as measure,
    channel.code as channel,
    line.value
from {{ source('raw', 'line') }} as line
join {{ source('raw', 'division') }} as division on division.code = line.unit_code
join {{ source('raw', 'measure') }} as measure on measure.name_zh = line.measure
join {{ source('raw', 'channel') }} as channel on channel.name_zh = line.channel
