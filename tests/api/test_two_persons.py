"""What takes two persons: asked by one, done once when another approves; and the log that tells of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from kaquan.api.errands import one_round
from kaquan.api.serving import Serving
from kaquan.approvals.service import approve
from kaquan.commands.model import Kind
from kaquan.kernel.caller import Caller, Role
from kaquan.kernel.ids import parse, public
from kaquan.settings import Settings
from support.database import Database
from support.service import client, issue, served
from support.town import MASTER_KEY, Town, build


class Office(Town):
    """A town with a payment that is too old to be refunded by one person alone."""

    first: httpx2.Client
    second: httpx2.Client
    payment: str

    def ask(self, who: httpx2.Client, path: str, **body: object) -> httpx2.Response:
        """A change, under a fresh id."""
        return who.post(path, json=body, headers={"Idempotency-Key": self.key()})

    def refunded(self) -> int:
        """How many refunds there are."""
        return int(self.rows("SELECT count(*) FROM refund")[0][0])


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    town = build(database.app_url, ("activation_days = 1", "activation_days = 0"))
    office = Office(**vars(town))
    office.app.door._now = lambda: office.now
    office.payment = public("pay", office.pay(office.sell(office.holder()), 1_000).id)
    office.tick(days=60)
    tokens = [issue(office, Role.ISSUER, organisation="jingxi") for _ in range(2)]
    with ExitStack() as stack:
        address = stack.enter_context(served(database, office))
        office.first, office.second = (stack.enter_context(client(address, token)) for token in tokens)
        yield office


def test_a_late_refund_waits_for_a_second_person_and_is_done_once(office: Office) -> None:
    path = f"/v1/payments/{office.payment}/refunds"
    asked = office.ask(office.first, path, late=True, reason="the shop had closed")
    assert asked.status_code == 202 and asked.json()["outcome"] == "requested", asked.text
    assert office.refunded() == 0
    approval = asked.json()["approval"]
    waiting = office.second.get("/v1/approvals").json()["items"]
    assert [one["approval"] for one in waiting] == [approval] and waiting[0]["wanted"] == "refund"
    shown = office.second.get(f"/v1/approvals/{approval}").json()
    assert shown["body"]["path"] == {"payment": office.payment} and shown["reason"] == "the shop had closed"

    own = office.ask(office.first, f"/v1/approvals/{approval}/approve")
    assert (own.status_code, own.json()["code"], office.refunded()) == (403, "approval_own", 0), own.text
    done = office.ask(office.second, f"/v1/approvals/{approval}/approve")
    assert done.json()["executed"]["outcome"] == "effect" and office.refunded() == 1, done.text
    again = office.ask(office.second, f"/v1/approvals/{approval}/approve")
    assert again.status_code == 409 and office.refunded() == 1
    assert office.first.get(f"/v1/approvals/{approval}").json()["state"] == "executed"


def test_what_is_rejected_is_never_done(office: Office) -> None:
    path = f"/v1/payments/{office.payment}/refunds"
    approval = office.ask(office.first, path, late=True, reason="late").json()["approval"]
    assert office.ask(office.second, f"/v1/approvals/{approval}/reject", reason="no receipt").status_code == 200
    assert office.ask(office.second, f"/v1/approvals/{approval}/approve").status_code == 409
    assert office.refunded() == 0


def test_what_comes_of_it_is_a_refusal_too(office: Office) -> None:
    path = f"/v1/payments/{office.payment}/refunds"
    asked = [office.ask(office.first, path, late=True, reason="late").json()["approval"] for _ in range(2)]
    answers = [office.ask(office.second, f"/v1/approvals/{one}/approve").json()["executed"] for one in asked]
    assert [one["outcome"] for one in answers] == ["effect", "problem"] and office.refunded() == 1


def test_what_waits_comes_in_pages(office: Office) -> None:
    path = f"/v1/payments/{office.payment}/refunds"
    asked = [office.ask(office.first, path, late=True, reason=f"late {i}").json()["approval"] for i in range(3)]
    first = office.second.get("/v1/approvals", params={"limit": 2}).json()
    last = office.second.get("/v1/approvals", params={"limit": 2, "after": first["next"]}).json()
    assert {one["approval"] for one in first["items"] + last["items"]} == set(asked) and last["next"] is None
    assert office.second.get("/v1/approvals", params={"after": "nonsense"}).status_code == 400


def test_the_log_tells_who_did_what(office: Office) -> None:
    office.ask(office.first, f"/v1/payments/{office.payment}/refunds", late=True, reason="late")
    office.ask(office.first, "/v1/payments/pay_00000000000000000000000000/refunds", reason="x")
    told = office.second.get("/v1/audit").json()["items"]
    assert [(one["operation"], one["outcome"]) for one in told] == [
        ("refund_payment", "not_found"),
        ("refund_payment", "requested"),
    ]
    assert told[1]["object"] == office.payment and told[0]["person"].startswith("issuer-")


def test_what_was_approved_before_a_crash_is_done_by_the_next_round(office: Office, database: Database) -> None:
    path = f"/v1/payments/{office.payment}/refunds"
    approval = office.ask(office.first, path, late=True, reason="late").json()["approval"]
    issuer = office.app.catalogue.organisations["jingxi"][0]
    approver = Caller(issuer, Role.ISSUER, None, "somebody else")
    office.ok(Kind.APPROVE_REQUEST, approve(office.key(), approver, parse("apr", approval)))
    assert office.refunded() == 0, "approved, and the process died before it did it"
    with Serving(Settings(home=Path("/nonexistent")), lambda: database.app_url, MASTER_KEY) as serving:
        assert one_round(serving) == 1 and office.refunded() == 1
        assert one_round(serving) == 0 and office.refunded() == 1
    assert office.first.get(f"/v1/approvals/{approval}").json()["state"] == "executed"
