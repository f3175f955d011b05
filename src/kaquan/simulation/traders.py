"""The merchants of a town: where they are, what they take part in, where they are paid."""

from collections.abc import Iterator
from random import Random

import msgspec

from kaquan.simulation.diary import WHOLE_BPS
from kaquan.simulation.scenario import Scenario

BANKS = ("工商银行", "建设银行", "农业银行", "中国银行", "邮储银行")
_ACCOUNT = "62220210011122{:05d}"
"""Account numbers that pass for some, and belong to nobody."""


class Trader(msgspec.Struct, frozen=True):
    """A merchant; its one store bears its name. `enrolled` are the programs that it is enrolled in."""

    number: int
    code: str
    name: str
    organisation: str
    scene: str
    enrolled: tuple[str, ...] = ()
    verified: bool = True

    @property
    def store(self) -> str:
        """The code of its store."""
        return f"{self.code}-store"

    @property
    def bank(self) -> str:
        """Where it is paid."""
        return BANKS[self.number % len(BANKS)]

    @property
    def account_no(self) -> str:
        """On which account."""
        return _ACCOUNT.format(self.number)


def traders(scenario: Scenario) -> list[Trader]:
    """The merchants of the chains, in the order of the file."""
    found: list[Trader] = []
    for chain in scenario.chains:
        for place, branch in enumerate(chain.branches):
            found.append(
                Trader(
                    number=len(found) + 1,
                    code=f"{chain.code}-{place + 1}",
                    name=chain.name + branch,
                    organisation=chain.organisation,
                    scene=chain.scene,
                    enrolled=tuple(program for program, most in chain.enrolled.items() if place < most),
                    verified=place >= chain.unverified,
                )
            )
    return found


def stranger(scenario: Scenario) -> Trader:
    """The merchant that takes part in nothing."""
    named = scenario.stranger
    return Trader(0, named.code, named.name, named.organisation, scenario.scenes[0].name)


def verified_later(scenario: Scenario, seed: int) -> Iterator[tuple[int, Trader]]:
    """On which day the bank account of which merchant is verified."""
    rng = Random(f"{seed}:banks")  # noqa: S311 - a town needs no secrets
    for one in traders(scenario):
        if not one.verified and rng.randrange(WHOLE_BPS) < scenario.banks.verified_bps:
            yield rng.randint(*scenario.banks.verified_after_days), one
