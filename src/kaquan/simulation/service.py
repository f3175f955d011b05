"""The simulation for everybody else."""

from kaquan.simulation.scenario import Scenario, load_scenario
from kaquan.simulation.store import Details, details, forget, refusals
from kaquan.simulation.world import Charter, ForeignDatabase, World, charter_of

__all__ = [
    "Charter",
    "Details",
    "ForeignDatabase",
    "Scenario",
    "World",
    "charter_of",
    "details",
    "forget",
    "load_scenario",
    "refusals",
]
