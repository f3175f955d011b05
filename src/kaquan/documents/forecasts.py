"""What a program would have cost on past traffic, as a document."""

from typing import Any

from kaquan.forecast.model import Forecast


def forecast_document(found: Forecast) -> dict[str, Any]:
    """The forecast: what the traffic had, what it would have cost, who gains, what stays promised."""
    winners = found.winners
    return {
        "purchases": found.purchases,
        "sold_fen": found.sold,
        "not_sold": found.not_sold,
        "orders": found.orders,
        "spent_fen": found.spent,
        "with_voucher": found.with_voucher,
        "issued": dict(found.issued),
        "used": dict(found.used),
        "cost_fen": found.cost,
        "costs": [{"of": one.of, "fund": one.fund, "cost_fen": one.amount} for one in found.costs],
        "promised_fen": found.promised,
        "winners": {
            "holders": winners.holders,
            "gaining": winners.gaining,
            "median_gain_fen": winners.median,
            "top_hundredth_bps": winners.top_hundredth_bps,
        },
        "by_merchant": [{"merchant": code, "discount_fen": amount} for code, amount in found.by_merchant],
    }
