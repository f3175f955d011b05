"""Every sabotage: those of all modules here that are named for sabotages."""

from importlib import import_module
from pathlib import Path

from mutants.sabotages import Sabotage

_MODULES = sorted(path.stem for path in Path(__file__).parent.glob("*sabotages.py"))

EVERY: tuple[Sabotage, ...] = tuple(
    each
    for module in _MODULES
    for name, value in vars(import_module(f"mutants.{module}")).items()
    if name.endswith("SABOTAGES")
    for each in value
)
