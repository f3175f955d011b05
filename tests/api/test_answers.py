"""What operations answer is what their description shows: the same members, of the same kinds.

KAQUAN_KEEP_ANSWERS=1 writes what they answer now into the description.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kaquan.api.openapi
from kaquan.api.openapi import ANSWERS
from kaquan.api.operations import OPERATIONS, Operation
from kaquan.db.embedded import Server
from kaquan.kernel.caller import Role
from support.outside import Outside, everybody
from support.two_sides import OWN

FILE = Path(kaquan.api.openapi.__file__).with_name("answers.json")
KEPT: dict[str, Any] = {}
SHOWN = (
    (re.compile(r"\b([a-z]{3})_[0-9a-z]{26}\b"), r"\1_06f8kzq4m5w7v2n9r3t1x0y6ba"),
    (re.compile(r"kq_live_[a-z2-7]{12}_[a-z2-7]{52}"), "kq_live_…"),
    (re.compile(r"whsec_[A-Za-z0-9+/=]+"), "whsec_…"),
    (re.compile(r"\b[0-9a-f]{32,}\b"), "…"),
    (re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z"), "2026-11-24T04:00:00Z"),
)
"""What is another each time, as it is shown."""


@pytest.fixture(scope="module")
def outside(server: Server, template_name: str) -> Iterator[Outside]:
    """One town for all operations; what it answered is kept when that was asked for, by one process."""
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    assert alone or not os.environ.get("KAQUAN_KEEP_ANSWERS"), "each worker of -n knows only its own answers"
    with everybody(server, template_name) as town:
        yield town
    if os.environ.get("KAQUAN_KEEP_ANSWERS"):
        FILE.write_text(json.dumps(KEPT, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def usual(text: str) -> Any:
    """An answer with what differs each time made the same; of a list, the first two."""
    for pattern, instead in SHOWN:
        text = pattern.sub(instead, text)
    answer = json.loads(text)
    if isinstance(answer, dict) and isinstance(answer.get("items"), list):
        answer |= {"items": answer["items"][:2]}
    return answer


def kinds(answer: Any) -> Any:
    """The members of an answer and their kinds; null fits any, an empty list any list."""
    if isinstance(answer, dict):
        return {name: kinds(given) for name, given in answer.items()}
    if isinstance(answer, list):
        return [kinds(answer[0])] if answer else []
    return type(answer).__name__


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation.name)
def test_an_operation_answers_as_it_is_described(outside: Outside, operation: Operation) -> None:
    role = Role.OPERATOR if Role.OPERATOR in operation.roles else sorted(operation.roles)[0]
    told = outside.ask(role, operation, OWN)
    if told.headers["content-type"] != "application/json":
        assert operation.also and told.headers["content-type"].startswith(operation.also)
        return
    answer = usual(told.text)
    KEPT[operation.name] = answer
    if os.environ.get("KAQUAN_KEEP_ANSWERS"):
        return
    shown = ANSWERS[operation.name]
    assert set(answer) == set(shown)
    if isinstance(answer.get("items"), list) and answer["items"] and shown["items"]:
        assert set(answer["items"][0]) == set(shown["items"][0])
    assert not fits(answer, shown)


def fits(answer: Any, shown: Any) -> list[str]:
    """The members whose kind differs from what is shown."""
    pairs = [(name, kinds(given), kinds(shown[name])) for name, given in answer.items()]
    return [name for name, one, other in pairs if "NoneType" not in (one, other) and type(one) is not type(other)]
