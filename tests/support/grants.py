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
