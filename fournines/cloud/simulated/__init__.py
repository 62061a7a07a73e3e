"""
A cloud in memory, for tests, rehearsals and scale.
"""

from fournines.cloud.simulated.cloud import SimulatedCloud
from fournines.cloud.simulated.faults import Fault, FaultKind, Killed
from fournines.cloud.simulated.health import Answer
from fournines.cloud.simulated.records import Behaviour
from fournines.cloud.simulated.scenario import InconsistentScenario, Scenario, Speeds
from fournines.cloud.simulated.traffic import MemberTraffic, PoolTraffic

__all__ = [
    "Answer",
    "Behaviour",
    "Fault",
    "FaultKind",
    "InconsistentScenario",
    "Killed",
    "MemberTraffic",
    "PoolTraffic",
    "Scenario",
    "SimulatedCloud",
    "Speeds",
]
