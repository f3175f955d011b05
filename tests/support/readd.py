"""Add up `kaquan ledger export` again, with nothing of ours: python readd.py [program] < export.jsonl

Prints the totals of the demo's table as one JSON object. Ends with status 1 when the file was cut short.
"""

import json
import sys
from collections import Counter

CARD = ("card.principal", "card.bonus", "card.subsidy")
FUNDED, PAID = ("funder.budget", "funder.committed"), ("merchant.payable", "due_to")
FEES = ("fee.income", "tax.payable")
SPEND, BACK = ("pay", "capture"), ("refund", "reverse")


def signs(kind, debit, credit):
    """How a posting enters the totals: 1 or -1 by name."""
    back, spent = kind in BACK, kind in SPEND
    return {
        "outstanding_principal_fen": (credit == CARD[0]) - (debit == CARD[0]),
        "outstanding_bonus_fen": (credit == CARD[1]) - (debit == CARD[1]),
        "outstanding_subsidy_fen": (credit == CARD[2]) - (debit == CARD[2]),
        "cards_sold_fen": kind == "sell" and credit in CARD,
        "topped_up_fen": kind == "top_up" and credit in CARD,
        "topped_up_subsidy_fen": kind == "top_up" and credit == CARD[2],
        "spent_principal_fen": spent and debit == CARD[0],
        "spent_bonus_fen": spent and debit == CARD[1],
        "spent_subsidy_fen": spent and debit == CARD[2],
        "rebates_granted_fen": kind == "grant_reward" and credit == "card.bonus",
        "rebates_clawed_back_fen": back and debit == "card.bonus" and credit in ("promo.deferred", FUNDED[0]),
        "bonus_expired_fen": kind == "expire_lot" and debit == "card.bonus",
        "subsidy_expired_fen": debit == CARD[2] and (kind == "expire_lot" or (back and credit == FUNDED[0])),
        "owed_to_holders_fen": debit in CARD and credit == "holder.refund",
        "refunded_fen": back and debit in PAID and credit in CARD,
        "discounts_funded_fen": spent and debit == FUNDED[1] and credit in PAID,
        "discounts_borne_fen": spent and debit == "merchant.discount",
        "discounts_returned_fen": back
        and (debit == "merchant.discount_borne" or (debit in PAID and credit in FUNDED)),
        "discounts_unborne_fen": back and debit == "merchant.discount_borne",
        "vouchers_promised_fen": (debit, credit) == FUNDED,
        "vouchers_promised_again_fen": debit != FUNDED[0] and credit == FUNDED[1],
        "vouchers_on_cards_fen": debit == FUNDED[1] and credit in CARD,
        "vouchers_freed_fen": (credit, debit) == FUNDED,
        "funds_paid_in_fen": kind == "pay_in_fund",
        "funds_paid_out_fen": kind == "pay_out_fund",
        "promised_fen": (credit == FUNDED[1]) - (debit == FUNDED[1]),
        "fees_fen": kind == "settle" and (credit in FEES) - (debit in FEES),
        "settled_fen": kind == "settle" and credit in ("merchant.payout", "store.transfer"),
        "held_back_fen": kind == "settle" and credit == "merchant.reserve",
        "released_fen": kind in ("release_reserve", "settle") and debit == "merchant.reserve",
    }


def more_signs(kind, debit, credit):
    """How a posting enters what the table tells beside the totals, by name."""
    closed, owed, disputed = kind == "close_card" and debit in CARD, "holder.refund", "merchant.disputed"
    return {
        "closed_cards_fen": closed,
        "refunded_outside_fen": not closed and debit in CARD and credit == owed,
        "paid_to_holders_fen": debit == owed,
        "owed_holders_fen": (credit == owed) - (debit == owed),
        "disputed_fen": (debit == PAID[0] and credit == disputed) - (credit == PAID[0] and debit == disputed),
        "payable_fen": (credit == PAID[0]) - (debit == PAID[0]),
    }


def add_up_more(lines, program=""):
    """What postings say of closed cards, holders that are owed, and disputes, in fen; of one program, or of all."""
    total = Counter()
    for text in lines:
        line = json.loads(text)
        if line["type"] == "posting" and program in ("", line.get("program")):
            for name, sign in more_signs(line["kind"], line["debit"], line["credit"]).items():
                total[name] += sign * line["amount_fen"]
    return dict(total)


def add_up(lines, program=""):
    """The totals of an export, in fen; of one program, or of all."""
    total, sold, seen, end = Counter({"held_fen": 0}), set(), Counter(), None
    for text in lines:
        line = json.loads(text)
        seen[line["type"]] += 1
        if line["type"] == "end":
            end = line
        if program and line.get("program") != program:
            continue
        if line["type"] == "hold":
            total["held_fen"] += line["card_fen"]
        if line["type"] == "posting":
            for name, sign in signs(line["kind"], line["debit"], line["credit"]).items():
                total[name] += sign * line["amount_fen"]
            if line["kind"] == "sell":
                sold.add(line["transfer"])
    expected = {"postings": seen["posting"], "holds": seen["hold"], "payouts": seen["payout"]}
    if end is None or any(end[name] != count for name, count in expected.items()):
        raise SystemExit("the export was cut short")
    total["cards_sold"] = len(sold)
    return dict(sorted(total.items()))


if __name__ == "__main__":
    print(json.dumps(add_up(sys.stdin, *sys.argv[1:])))
