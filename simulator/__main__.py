"""python -m simulator: serve the platforms of some days until SIGTERM, or write the truth about them."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from simulator.plan import FIRST, SECOND
from simulator.planting import ScenarioError
from simulator.scenarios import SCENARIOS
from simulator.simulation import Simulation
from simulator.world import WorldError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the two commands; exit status 0, or 2 for wrong use."""
    options = _parser().parse_args(arguments)
    days = [options.start + timedelta(days=n) for n in range(options.days)]
    try:
        simulation = Simulation(
            home=options.home,
            days=days,
            prefix=options.prefix,
            seed=options.seed,
            scenario=options.scenario or "clean",
            months=options.month,
            hotline_url=options.hotline_url,
            transport=options.transport,
            host=options.host,
        )
    except (ScenarioError, WorldError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    if options.command == "truth":
        _write_truth(simulation, options.home)
    else:
        _serve(simulation)
    return 0


def _serve(simulation: Simulation) -> None:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    simulation.home.mkdir(parents=True, exist_ok=True)
    with simulation:
        ready = {
            "ready": True,
            "connections": str(simulation.write_connections()),
            "catalog": None if simulation.catalog_dir is None else str(simulation.catalog_dir),
            "platforms": list(simulation.catalog.platforms),
            "days": [day.isoformat() for day in simulation.plan.days],
            "planted": dict(simulation.plan.planted),
        }
        print(json.dumps(ready, ensure_ascii=False), flush=True)
        stopped.wait()


def _write_truth(simulation: Simulation, home: Path) -> None:
    for phase in (FIRST, SECOND):
        truth = simulation.truth(phase)
        folder = home / f"truth-phase-{phase}"
        folder.mkdir(parents=True, exist_ok=True)
        truth.daily.to_csv(folder / "daily_statistics.csv", index=False)
        truth.ledger.to_csv(folder / "ledger.csv", index=False)
        truth.batches.to_csv(folder / "batches.csv", index=False)
        truth.reporting.to_csv(folder / "reporting.csv", index=False)
        (folder / "quarantined.json").write_text(json.dumps(truth.quarantined, indent=1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        (
            "serve",
            "serve the platforms; writes HOME/connections.env and prints one JSON line when ready",
        ),
        ("truth", "write what a correct pipeline ends with, as CSV below HOME, serving nothing"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--home", type=Path, required=True, help="folder for everything that is written")
        command.add_argument(
            "--prefix", default="3713", help="of the cities' codes: 3713 Linyi, 37 the province"
        )
        command.add_argument("--seed", type=int, default=7)
        command.add_argument("--start", type=date.fromisoformat, required=True, help="first day, YYYY-MM-DD")
        command.add_argument("--days", type=int, default=1, help="how many days")
        command.add_argument(
            "--month",
            type=date.fromisoformat,
            action="append",
            default=[],
            help="a day of a further month with stocks",
        )
        command.add_argument(
            "--scenario", nargs="+", choices=["clean", *SCENARIOS], metavar="NAME", help="faults"
        )
        command.add_argument(
            "--hotline-url", help="SQLAlchemy URL of a PostgreSQL database to put the hotline into"
        )
        command.add_argument("--transport", choices=["sftp", "file"], default="sftp")
        command.add_argument("--host", default="127.0.0.1", help="address to listen on; connections name it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
