"""What somebody with a key tries beyond what it is for."""

import httpx2
import pytest

from kaquan.api import webhooks
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import public
from kaquan.payment_codes import offline
from support.desks import Desks
from support.service import issue
from support.two_sides import OTHER


@pytest.mark.parametrize("word", ["1", "yes", "on", "True", "TRUE", ""])
def test_a_dry_run_in_other_words_moves_nothing(desks: Desks, word: str) -> None:
    before = desks.sides.town.rows("SELECT count(*) FROM wallet")
    told = desks.operator.ask("/holders", {}, dry_run=word)
    assert (told.status_code, told.json()["code"]) == (400, "request_invalid")
    assert desks.sides.town.rows("SELECT count(*) FROM wallet") == before


def test_an_issuer_makes_no_phone_that_pays_from_what_others_issued(desks: Desks) -> None:
    """A gift makes any wallet an issuer's to see; its cards of other issuers stay out of reach."""
    wallet = public("wal", desks.sides.wallets[OTHER])
    desks.issuer.post("/vouchers", wallet=wallet, program="jingxika", stock="welcome", reason="a gift")
    assert desks.issuer.no(f"/wallets/{wallet}/devices", label="mine") == "role_not_allowed"
    assert desks.sides.town.rows("SELECT count(*) FROM device") == [(0,)]


def test_nothing_is_ever_done_under_the_id_of_dry_runs(desks: Desks) -> None:
    """All dry runs share an id: nothing may ever be done under it."""
    told = desks.operator._caller.post("/v1/holders", json={}, headers={"Idempotency-Key": "dry-run"})
    assert (told.status_code, told.json()["code"]) == (400, "idempotency_key_reserved")


def test_a_phone_number_elsewhere_is_as_unknown_as_nobodys(desks: Desks) -> None:
    known = desks.made("known_phone", OTHER)["known_phone"]
    assert desks.issuer.no("/holders/search", phone=known) == "phone_unknown"
    assert desks.issuer.no("/holders/search", phone="13300000001") == "phone_unknown"
    own = desks.made("known_phone")["known_phone"]
    assert desks.issuer.post("/holders/search", phone=own)["wallet"].startswith("wal_")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/orders/mall-1/%00",
        "/v1/cards/%00",
        "/v1/audit?person=%00",
        "/v1/ledger/postings?after=WzExODA1OTE2MjA3MTc0MTEzMDM0MjQsICIwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMCIsIDFd",
    ],
)
def test_what_the_database_can_not_take_never_reaches_it(desks: Desks, path: str) -> None:
    told = desks.operator._caller.get(path)
    assert (told.status_code, told.json()["code"]) == (400, "request_invalid")


def test_nor_does_a_body_with_such_a_letter(desks: Desks) -> None:
    before = desks.sides.town.rows("SELECT count(*) FROM command")
    for path, body in (
        ("/reversals", {"merchant": "mall-1", "order_no": "a\0b"}),
        ("/webhooks", {"url": "https://93.184.215.14/x", "organisation": "a\0b"}),
    ):
        assert desks.operator.no(path, **body) == "request_invalid"
    assert desks.sides.town.rows("SELECT count(*) FROM command") == before


def test_the_log_keeps_no_card_number(desks: Desks) -> None:
    number = desks.made("card_number")["card_number"]
    desks.operator.post(f"/cards/{number}/freeze", reason="asked")
    (told,) = desks.operator.get("/audit", limit=1)["items"]
    assert (told["operation"], told["object"]) == ("freeze_card", f"…{number[-4:]}")


def test_a_merchant_reads_what_its_own_keys_did(desks: Desks) -> None:
    town = desks.sides.town
    beside = desks.desk(issue(town, Role.MERCHANT, organisation="jingxi-stores", merchant="mall-2"))
    beside.post("/reversals", merchant="mall-2", order_no="never")
    assert [one["operation"] for one in beside.get("/audit")["items"]] == ["reverse_order"]
    assert "mall-2" not in str(desks.merchant.get("/audit")), "of the same organisation, and yet another's"
    assert all(one["operation"] != "reverse_order" for one in desks.merchant.get("/audit")["items"])


def test_no_key_asks_for_a_scope_that_it_has_not(desks: Desks) -> None:
    """Not even by way of a second person, whose approval is carried out without scopes."""
    town = desks.sides.town
    weak = desks.desk(issue(town, Role.ISSUER, organisation="jingxi", scopes=("keys:write",)))
    wanted = {"name": "strong", "role": "issuer", "organisation": "jingxi", "scopes": ["*"]}
    assert weak.no("/keys", **wanted) == "api_key_scope_beyond"
    asked = weak.ask("/keys", {**wanted, "scopes": ["keys:write"]})
    assert (asked.status_code, asked.json()["outcome"]) == (202, "requested")


def test_an_operator_alone_is_never_both_persons(desks: Desks) -> None:
    """It neither gives itself an issuer's key nor takes one over."""
    wanted = {"name": "puppet", "role": "issuer", "organisation": "jingxi", "scopes": ["*"]}
    asked = desks.operator.ask("/keys", wanted)
    assert (asked.status_code, asked.json()["outcome"]) == (202, "requested")
    assert desks.operator.no(f"/approvals/{asked.json()['approval']}/approve") == "approval_own"
    of_issuer = issue(desks.sides.town, Role.ISSUER, organisation="jingxi").split("_")[2]
    assert desks.operator.no(f"/keys/{of_issuer}/rotate") == "api_key_of_peer"
    assert desks.sides.town.rows("SELECT count(*) FROM api_key WHERE name = 'puppet'") == [(0,)]


def test_a_holder_learns_nothing_from_anothers_code(desks: Desks) -> None:
    """A quote tells vouchers and what would be paid: of her own wallet only."""
    other = public("wal", desks.sides.wallets[OTHER])
    device = desks.operator.post(f"/wallets/{other}/devices", label="phone")
    now = int(desks.sides.town.app.door.at().timestamp())
    code = offline.code(bytes.fromhex(device["secret"]), device["handle"], now)
    order = {"merchant": "far-1", "amount_fen": 100, "order_no": "peek", "code": code}
    told = desks.holder._caller.post("/v1/quotes", json=order)
    assert (told.status_code, told.json()["code"]) == (404, "payment_code_invalid"), told.text
    assert "payment_code_invalid" not in desks.operator._caller.post("/v1/quotes", json=order).text


def test_two_persons_make_a_key_that_neither_of_them_has(desks: Desks) -> None:
    """Who approves would else hold two keys, and be both persons from then on."""
    wanted = {"name": "third", "role": "issuer", "organisation": "jingxi", "scopes": ["*"]}
    key = {"Idempotency-Key": desks.sides.town.key()}
    asked = desks.issuer._caller.post("/v1/keys", json=wanted, headers=key).json()
    again = desks.issuer._caller.post("/v1/keys", json=wanted, headers=key).json()
    assert asked["outcome"] == "requested" and "token" not in asked
    assert again["first_half"] == asked["first_half"], "a lost answer is asked for again"
    done = desks.second.post(f"/approvals/{asked['approval']}/approve")["executed"]
    assert "token" not in done and asked["first_half"] not in str(done)
    token = f"kq_live_{done['prefix']}_{asked['first_half']}{done['second_half']}"
    assert desks.desk(token).get("/programs")["items"]


def test_a_name_that_is_slow_to_look_up_holds_few(desks: Desks) -> None:
    for _ in range(3):
        assert webhooks._LOOKING_UP.acquire(blocking=False)
    try:
        told = desks.issuer.no("/webhooks", url="https://93.184.215.14/hook")
    finally:
        for _ in range(3):
            webhooks._LOOKING_UP.release()
    assert told == "too_busy"


def test_figures_are_not_for_who_comes_through_a_proxy(desks: Desks) -> None:
    stranger = httpx2.Client(base_url=desks.address)
    assert stranger.get("/metrics").status_code == 200
    assert stranger.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401


def test_an_approval_that_is_repeated_answers_as_it_did(desks: Desks) -> None:
    """Its answer was lost: what was raised is not raised again, and is not called a failure."""
    found = desks.made("raised_stock")
    path = f"/programs/{found['program']}/stocks/{found['stock']}/raise"
    asked = desks.issuer.ask(path, {}).json()
    key = {"Idempotency-Key": desks.sides.town.key()}
    answers = [
        desks.second._caller.post(f"/v1/approvals/{asked['approval']}/approve", json={}, headers=key).json()
        for _ in range(2)
    ]
    assert answers[0]["executed"]["outcome"] == "effect", answers
    assert answers[1]["executed"]["outcome"] == "effect" and answers[1]["executed"]["replayed"], answers[1]
