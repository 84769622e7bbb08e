"""The source platforms of contract.md as real servers on loopback, and the truth about what they deliver.

For the demo, the tests and the benchmark. Imports nothing of etl but the catalogue and the settings; etl never
imports it.
"""

from simulator.simulation import Simulation

__all__ = ["Simulation"]
