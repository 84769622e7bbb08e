"""`metrics`: the state of the pipeline for Prometheus."""

from __future__ import annotations

from pathlib import Path

import click

from etl.cli.base import as_json, err, show


@click.command("metrics")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write this file once (textfile collector).",
)
@click.option("--listen", metavar="HOST:PORT", help="Answer http://HOST:PORT/metrics until stopped.")
@as_json
def metrics_command(out: Path | None, listen: str | None, json_: bool) -> None:
    """Show submissions by status, rows by outcome, freshness, quarantine and alerts as OpenMetrics."""
    from etl.metrics import metrics_server, write_metrics
    from etl.site import open_site

    if (out is None) == (listen is None):
        raise click.UsageError(
            "name either --out FILE or --listen HOST:PORT, such as --listen 127.0.0.1:9109"
        )
    if out is not None:
        write_metrics(open_site(), out)
        show(json_, {"file": out}, str(out))
        return
    assert listen is not None
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{listen} is not HOST:PORT", param_hint="--listen")
    with metrics_server(open_site(), host, int(port)) as server:
        err.print(f"http://{listen}/metrics")
        server.serve_forever()
