"""The command line: `python -m etl …`. Every command calls the functions that the DAGs' tasks call.

Exit status: 0 done; 1 finished, with something to look at (a batch that failed, a problem found); 2 wrong use or a site
that is not ready.
"""

from __future__ import annotations

import logging

import click

from etl.cli.alerts import alerts
from etl.cli.bulletin import bulletin_command
from etl.cli.check import check
from etl.cli.divisions import divisions
from etl.cli.evaluation import explain_evaluation_command
from etl.cli.explain import explain_command
from etl.cli.flags import flags
from etl.cli.follow_up import follow_up
from etl.cli.housekeeping import housekeeping
from etl.cli.indicators import indicators_command
from etl.cli.issue import delivery, issue_command, issued
from etl.cli.metrics import metrics_command
from etl.cli.outlook import outlook
from etl.cli.period import period
from etl.cli.portal import portal
from etl.cli.quarantine import quarantine
from etl.cli.report import report_command
from etl.cli.runs import restate_command, run_day_command
from etl.cli.sheet import quarantine_sheet
from etl.cli.site import init, platforms
from etl.cli.stocks import stocks_command
from etl.cli.tables import submissions
from etl.cli.verify import verify_command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Statistics of public legal services (公共法律服务统计): from the platforms' submissions to tables."""
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(message)s")


quarantine.add_command(quarantine_sheet)
explain_command.add_command(explain_evaluation_command)
for command in (
    init,
    divisions,
    platforms,
    run_day_command,
    stocks_command,
    restate_command,
    submissions,
    report_command,
    bulletin_command,
    indicators_command,
    issue_command,
    issued,
    delivery,
    quarantine,
    period,
    explain_command,
    verify_command,
    check,
    flags,
    housekeeping,
    metrics_command,
    alerts,
    follow_up,
    outlook,
    portal,
):
    main.add_command(command)
