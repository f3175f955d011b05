"""What a test needs from the machine: absent, it is skipped with the reason, unless KAQUAN_REQUIRE names it."""

import os
from typing import NoReturn

import pytest


def require(name: str, reason: str) -> NoReturn:
    """Call when the need `name` is not met: skips, or fails when KAQUAN_REQUIRE (comma-separated) lists it."""
    required = {item.strip() for item in os.environ.get("KAQUAN_REQUIRE", "").split(",")}
    if name in required:
        pytest.fail(f"KAQUAN_REQUIRE asks for {name}: {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}")
