"""Text of a program's grants for tests: a stock of vouchers and who pays for it, to stand at the end of a program."""

from typing import Any


def stock_text(code: str = "off-10", *paying: tuple[str, int], **terms: Any) -> str:
    """`[[stocks]]` of ten-yuan vouchers off an order of a hundred, with its funding: (fund, share in bps)."""
    told: dict[str, Any] = {
        "code": code,
        "name_zh": "满减券",
        "name_en": "Ten off",
        "kind": "threshold",
        "face_fen": 1_000,
        "min_order_fen": 10_000,
        "count": 100,
        "valid_days": 30,
        **terms,
    }
    lines = [f"{name} = {_toml(value)}" for name, value in told.items()]
    funding = [
        f'[[funding]]\nof = "{code}"\nfund = "{fund}"\nshare_bps = {share}'
        for fund, share in paying or (("city", 10_000),)
    ]
    return "\n".join(["", "[[stocks]]", *lines, *funding, ""])


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else f'"{value}"'


SETTLEMENT_TEXT = (
    "\n[[settlement.fee_tiers]]\nfrom_fen = 1_000_000\nrate_bps = 50\n"
    '\n[[settlement.sharing]]\npartner = "mall"\nshare_bps = 100\ncap_fen = 5_000\n'
    "\n[[reserve.steps]]\nafter_days = 30\nshare_bps = 5_000\n"
)
"""What a program may agree with its merchants besides what every preset says."""


def everything_text(only: tuple[str, ...] = ("stocks", "drips", "referrals", "packets", "custody")) -> str:
    """Text that gives something of everything: five stocks, a monthly plan, a referral, packets; and custody."""
    parts = {
        "stocks": stock_text(
            "off-10",
            ("city", 6_000),
            ("merchant", 4_000),
            wait_days=3,
            weekdays="67",
            hours="18:00-24:00",
            person_total=2,
            device_total=1,
        )
        + stock_text("tenth", ("bank", 10_000), kind="percent", rate_bps=1_000, face_fen=2_000, min_order_fen=0)
        + stock_text("few", ("bank", 10_000), budget_fen=2_500, shared_budget=True)
        + stock_text("tea", ("bank", 10_000), kind="exchange", goods="tea", min_order_fen=0)
        + stock_text("gift", ("bank", 10_000), kind="instant", min_order_fen=0, hand_out="grant"),
        "drips": '\n[[drips]]\ncode = "monthly"\nstock = "gift"\nfrom_face_fen = 50000\nmonths = 12\n',
        "referrals": '\n[[referrals]]\ncode = "friend"\nfirst_face_fen = 50000\nkept_days = 7\n'
        'inviter_stock = "gift"\ninvitee_stock = "gift"\ninviter_day = 2\ninviter_total = 9\n',
        "packets": '\n[[packets]]\ncode = "luck"\nstock = "gift"\ntotal_fen = 5000\ncount = 10\nmin_fen = 100\n'
        "max_fen = 1000\nclaim_hours = 24\n",
        "custody": custody_text(release="with_redemption")
        + '[[custody.rules]]\ncode = "deposit"\nbase = "top_ups"\nrate_bps = 3000\nperiod_days = 90\n'
        + '[[custody.guarantees]]\nreference = "BH-1"\nby = "工商银行"\namount_fen = 10000\n'
        + 'valid_from = "2025-01-01"\nvalid_until = "2025-12-31"\n',
    }
    return "".join(parts[name] for name in only)


def custody_text(**terms: Any) -> str:
    """`[custody]` with an account; `terms` are the others."""
    told = {"bank": "工商银行", "account_no": "0200112230000001", **terms}
    lines = (f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}" for name, value in told.items())
    return "\n[custody]\n" + "\n".join(lines) + "\n"
