"""The simulation for everybody else."""

from kaquan.simulation.scenario import Scenario, load_scenario
from kaquan.simulation.store import Count, Details, commands, details, forget, refusals
from kaquan.simulation.world import Charter, ForeignDatabase, World, charter_of

__all__ = [
    "Charter",
    "Count",
    "Details",
    "ForeignDatabase",
    "Scenario",
    "World",
    "charter_of",
    "commands",
    "details",
    "forget",
    "load_scenario",
    "refusals",
]
