"""The description of the interface: whole, and its examples are those that `test_authorization` sends."""

from kaquan.api.app import routed
from kaquan.api.openapi import SAMPLES, filled
from kaquan.api.routes import OPERATIONS


def test_every_operation_is_described_with_roles_scope_and_problems() -> None:
    paths = routed().openapi()["paths"]
    for operation in OPERATIONS.values():
        told = paths[operation.path][operation.method.lower()]
        assert told["operationId"] == operation.name
        assert told["summary"] and told["x-roles"] and told["x-scope"] == operation.scope
        assert {"400", "401", "403", "404", "429", "503"} <= set(told["responses"])
        assert "422" in told["responses"]
    described = {(path, method) for path, told in paths.items() for method in told}
    assert described == {(one.path, one.method.lower()) for one in OPERATIONS.values()}, (
        "an operation has two ways in"
    )


def test_examples_are_filled_with_samples() -> None:
    for operation in OPERATIONS.values():
        if operation.example is not None:
            assert "$" not in str(filled(operation.example, SAMPLES))
