"""
Everything local of one checkout, supervised: Prefect, Prometheus, Alertmanager, blackbox exporter, healer.

Top layer, beside the CLI: it starts the programs that compose the folders below it.
"""

from fournines.local.bringing_up import bring_down, bring_up
from fournines.local.supervision import ProgramState, states

__all__ = ["ProgramState", "bring_down", "bring_up", "states"]
