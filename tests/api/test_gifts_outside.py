"""Codes, draws, packets, plans and referrals over HTTP: what comes of them, and what is refused."""

from support.desks import Desks

CODES = ["ABCD-EFGH-JKMN", "nmkj hgfe dcba"]


def test_codes_come_in_once_and_give_a_voucher_once(desks: Desks) -> None:
    issuer, holder, made = desks.issuer, desks.holder, desks.made("code_stock")
    wallet = desks.made("wallet")["wallet"]
    batch = {"program": made["program"], "stock": "off-10", "codes": CODES}
    told = issuer.post("/code-batches", **batch)
    assert (told["count"], told["added"], told["known"]) == (2, 2, 0)
    again = issuer.post("/code-batches", **batch)
    assert (again["added"], again["known"]) == (0, 2) and again["batch"] != told["batch"]
    path = f"/programs/{made['program']}/stocks/off-10/code-batches"
    assert {one["batch"] for one in issuer.pages(path, 1)} == {told["batch"], again["batch"]}
    claim = holder.post("/claims/by-code", wallet=wallet, code="abcdefghjkmn")
    assert claim["voucher"].startswith("vch_")
    assert holder.no("/claims/by-code", wallet=wallet, code=CODES[0]) == "code_not_valid"
    assert holder.no("/claims/by-code", wallet=wallet, code="?") == "request_invalid"
    assert issuer.get(f"/code-batches/{told['batch']}")["used"] == 1
    issuer.post(f"/code-batches/{told['batch']}/stop")
    assert issuer.no(f"/code-batches/{told['batch']}/stop") == "code_batch_stopped"
    assert holder.no("/claims/by-code", wallet=wallet, code=CODES[1]) == "code_not_valid"
    assert issuer.no("/code-batches", **{**batch, "codes": ["short"]}) == "request_invalid"


def test_a_draw_goes_its_way_and_its_receipt_can_be_had(desks: Desks) -> None:
    issuer, holder, made = desks.issuer, desks.holder, desks.made("over_draw")
    draw, entry = f"/draws/{made['draw']}", made["entry"]
    assert issuer.no(f"{draw}/reveal") == "draw_state"
    assert holder.hidden(f"{draw}/entries"), "no list before it is committed"
    issuer.post(f"{draw}/end")
    issuer.post(f"{draw}/list")
    assert len(holder.get(f"{draw}/entries")["items"]) == 1
    assert holder.get(f"{draw}/entries/{entry}/receipt")["won"] is None
    issuer.post(f"{draw}/reveal")
    assert issuer.ask(f"{draw}/award", {}, dry_run="true").json()["awarded"] == 1
    assert issuer.post(f"{draw}/award") == {"dry_run": False, "awarded": 1, "refused": 0, "next_place": None}
    receipt = holder.get(f"{draw}/entries/{entry}/receipt")
    assert (receipt["place"], receipt["won"], receipt["seed"]) == (1, True, holder.get(draw)["seed"])
    assert made["draw"] in [one["draw"] for one in holder.pages("/draws", 1)]
    stock = desks.made("draw_stock")
    asked = {"program": stock["program"], "stock": "off-10", "seats": 1}
    assert issuer.no("/draws", **asked, closes_at="2025-06-06T09:00:00") == "request_invalid"
    assert issuer.no("/draws", **asked, closes_at="2025-06-01T09:00:00+08:00").startswith("draw_")


def test_packets_are_taken_and_their_receipts_come_when_the_pool_is_over(desks: Desks) -> None:
    issuer, holder = desks.issuer, desks.holder
    wallet, named = desks.made("wallet")["wallet"], desks.made("packets")
    pool = issuer.post("/packet-pools", program=named["program"], code="lucky")["pool"]
    taken = holder.post(f"/packet-pools/{pool}/packets", wallet=wallet)
    left = holder.get(f"/packet-pools/{pool}")
    assert (left["unopened"], left["unopened_fen"]) == (19, 10_000 - taken["amount_fen"]) and left["seed"] is None
    told = holder._caller.get(f"/v1/packets/{taken['packet']}/receipt").json()
    assert told["code"] == "packets_not_over"
    assert issuer.no(f"/packet-pools/{pool}/end") == "packets_not_over"
    over = desks.made("packet")["packet"]
    receipt = holder.get(f"/packets/{over}/receipt", amounts="true")
    assert receipt["amounts_fen"][receipt["number"] - 1] == receipt["amount_fen"] and receipt["seed"]
    assert len(holder.get(f"/programs/{named['program']}/packet-pools")["items"]) == 1


def test_a_plan_is_seen_by_its_holder_and_cancelled_by_its_issuer(desks: Desks) -> None:
    issuer, holder, plan = desks.issuer, desks.holder, desks.made("plan")["plan"]
    told = holder.get(f"/plans/{plan}")
    assert (told["state"], told["months"]) == ("running", 6)
    assert [one["plan"] for one in holder.get(f"/cards/{told['card']}/plans")["items"]] == [plan]
    assert holder.no(f"/plans/{plan}/cancel", reason="mine") == "role_not_allowed"
    assert issuer.no(f"/plans/{plan}/cancel") == "request_invalid"
    issuer.post(f"/plans/{plan}/cancel", reason="undone")
    assert issuer.no(f"/plans/{plan}/cancel", reason="again") == "plan_state"


def test_an_invitation_is_accepted_and_neither_learns_who(desks: Desks) -> None:
    issuer, holder = desks.issuer, desks.holder
    wallet, program = desks.made("wallet")["wallet"], desks.made("referral_program")["referral_program"]
    asked = {"wallet": wallet, "program": program}
    own = holder.get(f"/wallets/{wallet}/invite-code")["invite_code"]
    assert holder.no("/referrals", **asked, code=own).startswith("invite_")
    told = holder.post("/referrals", **asked, code=desks.made("invite_code")["invite_code"])
    (seen,) = [one for one in holder.pages(f"/wallets/{wallet}/referrals", 1) if one["program"] == program]
    assert (seen["referral"], seen["side"], seen["state"]) == (told["referral"], "invitee", "pending")
    assert not {"wallet", "inviter"} & set(seen)
    both = issuer.get(f"/referrals/{told['referral']}")
    assert both["wallet"] == wallet and both["inviter_state"] == "open"
    assert issuer.no(f"/referrals/{told['referral']}/undo") == "request_invalid"
    issuer.post(f"/referrals/{told['referral']}/undo", reason="undone")
    assert issuer.get(f"/referrals/{told['referral']}")["state"] == "clawed_back"
