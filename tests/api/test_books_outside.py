"""Merchants, programs, funds, settlements and the ledger over HTTP: what is answered, and what is refused."""

from support.desks import Desks
from support.two_sides import OTHER


def test_lists_come_in_pages_that_nothing_new_disturbs(desks: Desks) -> None:
    operator = desks.operator
    whole = [one["code"] for one in operator.get("/merchants")["items"]]
    assert whole == sorted(whole) and len(whole) >= 4
    assert [one["code"] for one in operator.pages("/merchants", 1)] == whole
    first = operator.get("/merchants", limit=2)
    told = {"name": "Early", "group": "jingxi-stores"}
    assert operator.post("/merchants", code="aaa", **told)["id"].startswith("mer_")
    after = operator.get("/merchants", limit=2, after=first["next"])
    assert [one["code"] for one in after["items"]] == whole[2:4]
    postings = operator.pages("/ledger/postings", 7)
    assert len({(one["transfer"], one["line"]) for one in postings}) == len(postings) >= 14
    assert [one["at"] for one in postings] == sorted((one["at"] for one in postings), reverse=True)
    for cursor in ("x", "bm9uc2Vuc2U", "WzFd", "W10", "é"):
        for path in ("/merchants", "/ledger/postings", "/settlements", "/payouts"):
            answer = operator._caller.get(f"/v1{path}", params={"after": cursor})
            assert (answer.status_code, path) == (400, path) or path == "/merchants", answer.text


def test_a_merchant_is_registered_paid_and_suspended(desks: Desks) -> None:
    operator, merchant = desks.operator, desks.merchant
    bank = {"bank": "工商银行", "account_no": "6222020299990001"}
    bound = merchant.post("/merchants/mall-1/bank-account", **bank)
    assert (bound["account_no"], bound["bank_state"]) == ("****0001", "bound")
    assert merchant.get("/merchants/mall-1")["bank_state"] == "bound"
    assert "bank_state" not in merchant.get("/merchants/far-1")
    assert merchant.no("/merchants/mall-1/bank-account/verify", account_no="1", proof="p") == "role_not_allowed"
    assert merchant.no("/merchants/far-1/bank-account", **bank) == "not_found"
    verify = "/merchants/mall-1/bank-account/verify"
    assert operator.no(verify, account_no="6222", proof="trial") == "bank_account_other"
    assert operator.post(verify, account_no=bank["account_no"], proof="trial")["bank_state"] == "verified"
    store = operator.post("/merchants/mall-1/stores", code="gate-9", name="Gate", scene="retail")
    assert operator.get("/stores/gate-9") == {"code": "gate-9", "id": store["id"], "merchant": "mall-1"}
    assert operator.no("/organisations", code="jingxi", name="again") == "code_taken"


def test_a_program_needs_two_keys(desks: Desks) -> None:
    issuer, second, text = desks.issuer, desks.second, desks.made("program_text")["program_text"]
    code = next(reversed(desks.sides.texts))
    assert issuer.post("/programs/validate", text=text)["valid"]
    wrong = issuer.post("/programs/validate", text=text.replace("cap_fen = 20_000", "cap_fen = -1"))
    assert not wrong["valid"] and wrong["problems"]
    refused = issuer.ask("/programs", {"text": text.replace("cap_fen = 20_000", "cap_fen = -1")})
    assert refused.json()["code"] == "program_refused" and refused.json()["details"]
    assert issuer.no("/programs", text=desks.made("program_text", OTHER)["program_text"]) == "not_found"
    assert issuer.post("/programs", text=text)["program"] == code
    assert desks.holder.hidden(f"/programs/{code}"), "a draft is nobody else's to see"
    issuer.post(f"/programs/{code}/submit")
    assert issuer.no(f"/programs/{code}/approve") == "program_second_person_needed"
    waiting = second.get(f"/programs/{code}")["waiting_id"]
    assert second.no(f"/programs/{code}/approve", proposal=waiting + 1) == "program_proposal_stale"
    second.post(f"/programs/{code}/approve", proposal=waiting)
    issuer.post(f"/programs/{code}/start")
    told = desks.holder.get(f"/programs/{code}/explanation")
    assert told["version"] == 1 and told["sentences_zh"] and told["sentences_en"]
    assert issuer.get(f"/programs/{code}/terms")["terms"]["rebate"]["cap_fen"] == 20_000
    looser = text.replace("cap_fen = 20_000", "cap_fen = 30_000")
    assert issuer.no(f"/programs/{code}/tighten", text=looser) == "program_loosening_needs_approval"
    issuer.post(f"/programs/{code}/amendments", text=looser)
    (change,) = issuer.get(f"/programs/{code}/diff")["changes"]
    assert (change["field"], change["before"], change["after"]) == ("rebate.cap_fen", 20_000, 30_000)
    second.post(f"/programs/{code}/reject", reason="too generous")
    assert [one["step"] for one in issuer.pages(f"/programs/{code}/history", 2)][-1] == "reject"
    assert issuer.no(f"/programs/{code}/close") == "program_state"
    assert issuer.no("/programs/rivalka/pause", reason="envy") == "not_found"


def test_a_stock_shows_everybody_that_it_is_there_and_its_own_what_is_left(desks: Desks) -> None:
    issuer, holder, funder = desks.issuer, desks.holder, desks.funder
    made = desks.made("fresh_stock")
    path = f"/programs/{made['program']}/stocks"
    (seen,) = holder.get(path)["items"]
    assert set(seen) == {"program", "stock", "kind", "state"}
    assert issuer.get(path)["items"][0]["remaining"] == funder.get(f"{path}/off-10")["remaining"] == 100
    assert issuer.no(f"{path}/off-10/resume", reason="too early") == "stock_state"
    issuer.post(f"{path}/off-10/pause", reason="too fast")
    assert [one["step"] for one in issuer.get(f"{path}/off-10")["history"]] == ["open", "pause"]
    asked = issuer.ask(f"{path}/off-10/raise", None)
    assert asked.status_code == 202, "a raise waits for a second person"


def test_a_fund_is_paid_by_who_keeps_the_book_and_seen_by_who_gives(desks: Desks) -> None:
    issuer, funder = desks.issuer, desks.funder
    before = funder.get("/funds/city")
    assert funder.no("/funds/city/pay-ins", amount_fen=1, reference="mine") == "role_not_allowed"
    issuer.post("/funds/city/pay-ins", amount_fen=12_300, reference="bank-9")
    assert funder.get("/funds/city")["free_fen"] == before["free_fen"] + 12_300
    assert [one["code"] for one in funder.get("/funds")["items"]] == ["city"]
    assert issuer.no("/funds/county/pay-ins", amount_fen=1, reference="x") == "not_found"
    told = funder.get("/programs/jingxika/liability")
    assert [one["fund"] for one in told["funders"]] == ["city"] and told["funders"][0]["covered"]
    assert {one["fund"] for one in funder.get("/discounts")["items"]} <= {"city"}


def test_a_merchant_sees_its_settlement_and_payout_alone(desks: Desks) -> None:
    operator, merchant, issuer = desks.operator, desks.merchant, desks.issuer
    assert len(operator.pages("/settlements", 1)) == 2
    (mine,) = merchant.get("/settlements")["items"]
    assert (mine["merchant"], mine["program"], mine["gross_fen"]) == ("mall-1", "jingxika", 20_000)
    assert [one["merchant"] for one in issuer.get("/settlements")["items"]] == ["mall-1"]
    assert merchant.get(f"/settlements/{mine['settlement']}")["reserve"]["state"] == "withheld"
    assert merchant.get("/settlements", period_end="2025-04-30")["items"] == []
    (paid,) = merchant.get("/payouts")["items"]
    assert paid["amount_fen"] == mine["paid_fen"] and paid["account_no"].startswith("****")
    assert merchant.hidden(f"/settlements/{desks.made('settlement', OTHER)['settlement']}")
    assert merchant.no("/programs/jingxika/settlements") == "role_not_allowed"


def test_a_settlement_is_run_by_the_cut_of_its_preview_and_once(desks: Desks) -> None:
    issuer = desks.issuer
    seen = issuer.get("/programs/jingxika/settlement-preview", period="2025-05")
    assert (seen["settled"], seen["merchants"]) == (1, [])
    told = issuer.post("/programs/jingxika/settlements", cut=seen["cut"])
    assert (told["settled"], told["settled_before"], told["outcome"]) == ([], 1, "effect")
    tried = issuer.ask("/programs/jingxika/settlements", {}, dry_run="true")
    assert tried.json()["dry_run"] and tried.json()["period_end"] == "2025-05-31"
    assert issuer.no("/programs/jingxika/settlements", cut="1-2-3") == "request_invalid"
    assert issuer.no("/programs/jingxika/settlements", period="May") == "request_invalid"
    assert issuer.no("/programs/jingxika/settlements", period="2025-05-15") == "period_invalid"
    bare = issuer._caller.post("/v1/programs/jingxika/settlements", json={})
    assert bare.json()["code"] == "idempotency_key_missing"


def test_an_issuer_reads_its_own_book_alone(desks: Desks) -> None:
    issuer, regulator = desks.issuer, desks.regulator
    assert {one["book"] for one in issuer.pages("/ledger/balances", 5)} == {"jingxi"}
    assert {one["book"] for one in regulator.pages("/ledger/balances", 50)} == {"jingxi", "rival"}
    assert {one["book"] for one in issuer.get("/ledger/postings", limit=100)["items"]} == {"jingxi"}
    assert issuer.hidden("/ledger/postings", book="rival")
    assert issuer.hidden(f"/ledger/transfers/{desks.made('transfer', OTHER)['transfer']}")
    transfer = desks.made("transfer")["transfer"]
    assert {one["movement"] for one in issuer.get(f"/ledger/transfers/{transfer}")["items"]} == {"pay"}
    owners = issuer.get("/ledger/books/jingxi/accounts/merchant.payable")["items"]
    assert {one["owner"] for one in owners} == {"mall-1"}
    assert issuer.hidden("/ledger/books/jingxi/accounts/card.principal")
    assert regulator.get("/ledger/proofs")["ok"]
    state = regulator.get("/ledger/rollup")
    assert 0 <= state["xid"] <= state["closed"]
