"""Pieces that sentences about a program's terms are made of."""

from kaquan.kernel.money import Rate

Sentence = tuple[str, str]
"""The same sentence in Chinese and in English."""


def percent(rate: Rate) -> str:
    """`500` as `5%`, `60` as `0.6%`."""
    whole, rest = divmod(rate, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"


def count_of(number: int, unit: str) -> str:
    """`1 day`, `1,000 days`."""
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"
