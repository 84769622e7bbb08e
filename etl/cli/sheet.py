"""The command `quarantine sheet`: what is held back of a batch, as a return sheet for its sender."""

from __future__ import annotations

from pathlib import Path

import click

from etl.cli.base import as_json, show


@click.command("sheet")
@click.option("--batch", "batch_id", type=int, required=True, help="Number of the batch in the ledger.")
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), required=True)
@as_json
def quarantine_sheet(batch_id: int, folder: Path, json_: bool) -> None:
    """Write the return sheet of a batch: the sender's own file, marked, under the name of its next revision."""
    from etl.return_sheet.batch import return_batch
    from etl.site import open_site

    file = return_batch(open_site(), batch_id, folder)
    show(json_, {"file": str(file)}, f"Written: {file}")
