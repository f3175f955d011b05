"""What is known of every operation beside its code: address, roles, scope, an example that is executed."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from pydantic import BaseModel

from kaquan.kernel.caller import Role

PREFIX = "/v1"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an operation beside its code.

    `example` is a body with `$names` of objects, which a test fills and sends. `made` says what a path's object must
    be for that, when not just any; `prepare` which operation comes before. `owned`: it names something of somebody's.
    `second`: it may wait for a second person, and then answers 202.
    `also`: another media type of the answer, beside JSON.
    """

    name: str
    method: str
    path: str
    summary: str
    scope: str
    roles: frozenset[Role]
    example: Mapping[str, Any] | None = None
    query: Mapping[str, str] = {}
    made: str = ""
    prepare: str = ""
    second: bool = False
    owned: bool = True
    also: str = ""


BODY = "body"
"""What every operation calls its body."""

OPERATIONS: dict[str, Operation] = {}
"""Every operation by its name."""

ENDPOINTS: dict[str, tuple[Callable[..., Any], type[BaseModel] | None]] = {}
"""The function of every operation with the model of its body: what a second person approved is asked for again."""


def declare(operation: Operation) -> Operation:
    """Enter an operation into the list, once."""
    if OPERATIONS.setdefault(operation.name, operation) is not operation:
        raise ValueError(f"operation declared twice: {operation.name}")
    return operation
