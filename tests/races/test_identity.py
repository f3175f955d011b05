"""Requests and keys by four processes at once: each is decided once."""

import msgspec
import pytest

from kaquan.approvals import service as approvals
from kaquan.commands.model import Kind
from kaquan.identity.keys import new_token
from kaquan.identity.model import IssueKey, RevokeKey, RotateKey
from kaquan.kernel.caller import OPERATOR, Caller, Role
from support.race import Answer, Field, Racer

RACERS = 4
ROUNDS = 10
ISSUER = Caller(organisation=1, role=Role.ISSUER, person="chen")
SECONDS = [msgspec.structs.replace(ISSUER, person=f"second-{number}") for number in range(RACERS)]

pytestmark = pytest.mark.usefixtures("field")


def codes(answers: list[Answer]) -> list[str]:
    """The refusals, "" for an effect, in alphabetical order."""
    return sorted(each.code for each in answers)


def test_a_request_is_approved_or_rejected_once(field: Field) -> None:
    town = field.town
    for number in range(ROUNDS):
        asked = approvals.request(f"ask-{number}", ISSUER, Kind.RAISE_STOCK, {"n": number}, "season")
        request = town.ok(Kind.REQUEST_APPROVAL, asked).id
        racers = [
            Racer(Kind.APPROVE_REQUEST, approvals.approve(f"a-{number}-{who.person}", who, request))
            for who in SECONDS[:2]
        ] + [
            Racer(Kind.REJECT_REQUEST, approvals.reject(f"r-{number}-{who.person}", who, request, "no"))
            for who in SECONDS[2:]
        ]
        answers = field.racers.round(town.now, racers)
        assert codes(answers) == ["", *["approval_state"] * 3]
        approved = any(each.took_effect for each in answers[:2])
        asked_for = "SELECT state, version, count(*) OVER () FROM approval WHERE id = %s"
        assert field.rows(asked_for, request.hex()) == [(2 if approved else 3, 2, 1)]


def test_what_was_approved_is_finished_once(field: Field) -> None:
    town = field.town
    asked = approvals.request("ask-finish", ISSUER, Kind.REFUND, {}, "late")
    request = town.ok(Kind.REQUEST_APPROVAL, asked).id
    town.ok(Kind.APPROVE_REQUEST, approvals.approve("a-finish", SECONDS[0], request))
    approved = approvals.find(town.app.connection, request)
    assert approved is not None
    racers = [Racer(Kind.FINISH_REQUEST, approvals.finish(approved, "ok"))] * RACERS
    answers = field.racers.round(town.now, racers)
    assert codes(answers) == [""] * RACERS
    assert sorted(each.replayed for each in answers) == [False, True, True, True]


def test_a_key_is_revoked_once_and_then_rotated_no_more(field: Field) -> None:
    town = field.town
    for number in range(ROUNDS):
        token = new_token()
        told = {"name": "app", "organisation": "jingxi", "role": Role.FUNDER, "scopes": ("*",), "days": 9}
        secret = {"prefix": token.prefix, "digest": token.digest}
        command = IssueKey(key=f"issue-{number}", caller=OPERATOR, **told, **secret)
        key = town.ok(Kind.ISSUE_KEY, command).id
        rotations = [
            RotateKey(
                key=f"t-{number}-{one}",
                caller=OPERATOR,
                api_key=key,
                days=9,
                grace_hours=0,
                digest=new_token().digest,
            )
            for one in range(2)
        ]
        racers = [Racer(Kind.ROTATE_KEY, rotation) for rotation in rotations] + [
            Racer(Kind.REVOKE_KEY, RevokeKey(key=f"v-{number}-{one}", caller=OPERATOR, api_key=key))
            for one in range(2)
        ]
        answers = field.racers.round(town.now, racers)
        assert codes(answers[2:]) == ["", "api_key_revoked"]
        assert {each.code for each in answers[:2]} <= {"", "api_key_revoked"}
        rotated = sum(each.took_effect for each in answers[:2])
        assert field.rows("SELECT state, version FROM api_key WHERE id = %s", key.hex()) == [(2, 2 + rotated)]
