"""Add up `kaquan ledger export` again, with nothing of ours: python readd.py < export.jsonl

Prints the demo's table as one JSON object. Ends with status 1 when the file was cut short.
"""

import json
import sys
from collections import Counter

CARD = ("card.principal", "card.bonus", "card.subsidy")
FUNDED, PAID = ("funder.budget", "funder.committed"), ("merchant.payable", "due_to")
SPEND, BACK = ("pay", "capture"), ("refund", "reverse")


def add_up(lines):
    """The totals of an export, in fen."""
    total, sold, seen, end = Counter(), set(), Counter(), None
    for text in lines:
        line = json.loads(text)
        seen[line["type"]] += 1
        if line["type"] == "hold":
            total["held_fen"] += line["card_fen"]
        if line["type"] == "end":
            end = line
        if line["type"] != "posting":
            continue
        kind, debit, credit, fen = line["kind"], line["debit"], line["credit"], line["amount_fen"]
        total["outstanding_principal_fen"] += fen * ((credit == CARD[0]) - (debit == CARD[0]))
        total["outstanding_bonus_fen"] += fen * ((credit == CARD[1]) - (debit == CARD[1]))
        total["outstanding_subsidy_fen"] += fen * ((credit == CARD[2]) - (debit == CARD[2]))
        if kind == "sell":
            sold.add(line["transfer"])
        total["cards_sold_fen"] += fen * (kind == "sell" and credit in CARD)
        total["topped_up_fen"] += fen * (kind == "top_up" and credit in CARD)
        total["topped_up_subsidy_fen"] += fen * (kind == "top_up" and credit == CARD[2])
        total["spent_principal_fen"] += fen * (kind in SPEND and debit == CARD[0])
        total["spent_bonus_fen"] += fen * (kind in SPEND and debit == CARD[1])
        total["spent_subsidy_fen"] += fen * (kind in SPEND and debit == CARD[2])
        total["rebates_granted_fen"] += fen * (kind == "grant_reward" and credit == "card.bonus")
        total["rebates_clawed_back_fen"] += fen * (
            kind in BACK and debit == "card.bonus" and credit == "promo.deferred"
        )
        total["bonus_expired_fen"] += fen * (kind == "expire_lot" and debit == "card.bonus")
        total["subsidy_expired_fen"] += fen * (kind == "expire_lot" and debit == CARD[2])
        total["refunded_fen"] += fen * (kind in BACK and debit in PAID and credit in CARD)
        total["discounts_funded_fen"] += fen * (kind in SPEND and debit == "funder.committed" and credit in PAID)
        total["discounts_borne_fen"] += fen * (kind in SPEND and debit == "merchant.discount")
        total["discounts_returned_fen"] += fen * (
            kind in BACK and (debit == "merchant.discount_borne" or (debit in PAID and credit in FUNDED))
        )
        total["discounts_unborne_fen"] += fen * (kind in BACK and debit == "merchant.discount_borne")
        total["vouchers_promised_fen"] += fen * ((debit, credit) == FUNDED)
        total["vouchers_promised_again_fen"] += fen * (debit != FUNDED[0] and credit == FUNDED[1])
        total["vouchers_on_cards_fen"] += fen * (debit == FUNDED[1] and credit in CARD)
        total["vouchers_freed_fen"] += fen * ((credit, debit) == FUNDED)
        total["funds_paid_in_fen"] += fen * (kind == "pay_in_fund")
        total["funds_paid_out_fen"] += fen * (kind == "pay_out_fund")
        total["promised_fen"] += fen * ((credit == FUNDED[1]) - (debit == FUNDED[1]))
        total["fees_fen"] += fen * (kind == "settle" and credit == "fee.income")
        total["settled_fen"] += fen * (kind == "settle" and credit == "merchant.payout")
        total["held_back_fen"] += fen * (kind == "settle" and credit == "merchant.reserve")
        total["released_fen"] += fen * (kind == "release_reserve" and debit == "merchant.reserve")
    expected = {"postings": seen["posting"], "holds": seen["hold"], "payouts": seen["payout"]}
    if end is None or any(end[name] != count for name, count in expected.items()):
        raise SystemExit("the export was cut short")
    total["cards_sold"], total["held_fen"] = len(sold), total["held_fen"]
    return dict(sorted(total.items()))


if __name__ == "__main__":
    print(json.dumps(add_up(sys.stdin)))
