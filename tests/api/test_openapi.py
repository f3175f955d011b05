"""The description of the interface: whole, and its examples are those that `test_authorization` sends."""

from kaquan.api.app import routed
from kaquan.api.openapi import SAMPLES, filled
from kaquan.api.operations import OPERATIONS
from kaquan.approvals.rules import SECOND_PERSON
from kaquan.cards.numbers import typed_number


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


def test_every_name_in_a_path_or_query_is_explained() -> None:
    for path, told in routed().openapi()["paths"].items():
        for one in told.values():
            for parameter in one.get("parameters", ()):
                assert parameter.get("description"), f"{path} {parameter['name']}"
                assert "anyOf" not in parameter["schema"], f"{path} {parameter['name']}: what is left out is no null"


def test_samples_could_be_real() -> None:
    assert typed_number(SAMPLES["card_number"]) == SAMPLES["card_number"]


def test_what_takes_two_persons_says_so() -> None:
    told = {one.name for one in OPERATIONS.values() if one.second}
    assert told == {
        *("refund_payment", "void_voucher", "issue_key", "raise_stock", "pay_out_fund"),
        "recognise_breakage",
    }
    assert len(told) == len(SECOND_PERSON)
    for name in told:
        paths = routed().openapi()["paths"]
        assert "202" in paths[OPERATIONS[name].path]["post"]["responses"]
