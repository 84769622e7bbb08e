"""The command line: `python -m etl …`. Every command calls the functions that the DAGs' tasks call.

Exit status: 0 done, 1 finished with batches failed or rejected, 2 wrong use or a site that is not ready.
"""

from __future__ import annotations

import logging

import click

from etl.cli.divisions import divisions
from etl.cli.flags import flags
from etl.cli.quarantine import quarantine
from etl.cli.runs import restate_command, run_day_command
from etl.cli.site import init, platforms
from etl.cli.tables import report_command, submissions


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Statistics of public legal services (公共法律服务统计): from the platforms' submissions to tables."""
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(message)s")


for command in (
    init,
    divisions,
    platforms,
    run_day_command,
    restate_command,
    submissions,
    report_command,
    quarantine,
    flags,
):
    main.add_command(command)
