"""The whole description, asked at random: nothing breaks on our side, and every answer is one that is described."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from kaquan.api.app import routed
from kaquan.db.embedded import Server
from kaquan.kernel.caller import Role
from support.database import fresh_database
from support.service import served
from support.two_sides import TwoSides

EXAMPLES = 8
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SCHEMA = schemathesis.openapi.from_dict(routed().openapi())


@pytest.fixture(scope="module")
def door(server: Server, template_name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a served town, and the operator's headers."""
    with ExitStack() as stack:
        sides = TwoSides(stack.enter_context(fresh_database(server, template_name)))
        token = sides.token(Role.OPERATOR)
        yield stack.enter_context(served(sides.database, sides.town)), {"Authorization": f"Bearer {token}"}


@SCHEMA.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_described(case: schemathesis.Case, door: tuple[str, dict[str, str]]) -> None:
    address, headers = door
    case.call_and_validate(base_url=address, headers=headers, checks=CHECKS)
