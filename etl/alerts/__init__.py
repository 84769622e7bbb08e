"""Alerts about submissions (催报): who is told what has not come, once, by which channel, and what came of it.

`rounds` writes digests into the outbox by the ladder that the catalogue declares, `arrivals` the all-clears, `outbox`
sends them, `acknowledgement` stops them for who has taken note. Every rule takes the moment as an argument.
"""

from etl.alerts.acknowledgement import acknowledge, acknowledge_by_link
from etl.alerts.heartbeat import find_faults
from etl.alerts.morning import name_missing
from etl.alerts.notice import tell_duty
from etl.alerts.outbox import send_alerts, try_again
from etl.alerts.rounds import run_rounds

__all__ = [
    "acknowledge",
    "acknowledge_by_link",
    "find_faults",
    "name_missing",
    "run_rounds",
    "send_alerts",
    "tell_duty",
    "try_again",
]
