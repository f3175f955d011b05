"""Towns for tests of rewards: programs with a monthly plan, a referral, a pool of packets, and money behind them."""

from typing import Any
from uuid import UUID

from kaquan.commands.model import Effect, Kind
from kaquan.holders.service import registration
from kaquan.jobs.run import run_due
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.ledger.service import proofs
from kaquan.privacy.model import Person
from kaquan.rewards.invite_codes import invite_code
from kaquan.rewards.packet_model import OpenPacket, OpenPackets
from kaquan.rewards.referral_model import AcceptInvite
from support.grants import stock_text
from support.town import Town, build

CITY = ("city", 10_000)


def drip_text(**terms: Any) -> str:
    """`[[drips]]`: who tops up 500 gets ten-yuan vouchers for six months."""
    told = {"code": "monthly", "stock": "off-10", "from_face_fen": 50_000, "months": 6, "each_month": 1, **terms}
    return _table("drips", told)


def referral_text(**terms: Any) -> str:
    """`[[referrals]]`: who brings a holder whose first top-up of 500 stays seven days gets a ten-yuan voucher."""
    told = {"code": "bring", "first_face_fen": 50_000, "kept_days": 7, "inviter_stock": "off-10", **terms}
    return _table("referrals", told)


def packets_text(**terms: Any) -> str:
    """`[[packets]]`: a hundred yuan in twenty packets of one fen to fifty yuan, for 72 hours."""
    told = {
        "code": "lucky",
        "stock": "packet",
        "total_fen": 10_000,
        "count": 20,
        "min_fen": 1,
        "max_fen": 5_000,
        "claim_hours": 72,
        **terms,
    }
    return _table("packets", told)


def _table(name: str, told: dict[str, Any]) -> str:
    lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in told.items()]
    return "\n".join(["", f"[[{name}]]", *lines, ""])


def off_10(*paying: tuple[str, int], **terms: Any) -> str:
    """Vouchers of ten yuan off a hundred that the program hands out by itself."""
    return stock_text("off-10", *(paying or (CITY,)), **{"hand_out": "grant", **terms})


def packet_stock(*paying: tuple[str, int], **terms: Any) -> str:
    """Vouchers of up to fifty yuan, off anything, into which packets turn."""
    told = {"hand_out": "grant", "kind": "instant", "min_order_fen": 0, "face_fen": 5_000, "count": 20}
    return stock_text("packet", *(paying or (CITY,)), **{**told, "budget_fen": 10_000, **terms})


def town_with(url: str, *parts: str, city: int = 100_000, stocks: tuple[str, ...] = ("off-10",)) -> Town:
    """A town whose program ends with these parts, the fund `city` with this much in it, and these stocks opened."""
    town = build(url, more="".join(parts))
    town.fund("city", city)
    for code in stocks:
        town.stock(code)
    return town


def books(town: Town, account: int) -> int:
    """What the books say of an account, credits less debits."""
    sql = (
        "SELECT coalesce(sum(CASE WHEN credit = %s THEN amount ELSE -amount END), 0)::bigint FROM posting"
        " WHERE (credit = %s) <> (debit = %s)"
    )
    return int(town.rows(sql, account, account, account)[0][0])


def free(town: Town) -> int:
    """Funders' free budget in the books."""
    return books(town, 30)


def promised(town: Town) -> int:
    """What funders have promised in the books."""
    return books(town, 31)


def pool_left(town: Town, pool: Id) -> tuple[int, int]:
    """What the slices of a pool hold: things, fen."""
    sql = "SELECT coalesce(sum(count_left), 0)::bigint, coalesce(sum(fen_left), 0)::bigint FROM slice WHERE pool = %s"
    count, amount = town.rows(sql, UUID(bytes=pool))[0]
    return int(count), int(amount)


def run(town: Town) -> dict[Kind, int]:
    """What is due, carried out."""
    return dict(run_due(town.app))


_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def stranger(town: Town, number: int) -> Id:
    """A holder with a phone and an identity of her own."""
    born = f"110105{1950 + number // 1000 % 50}0101{number % 1000:03d}"
    check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(born, _WEIGHTS, strict=True)) % 11]
    person = Person("李四", f"134{number:08d}", born + check)
    return town.ok(Kind.REGISTER_HOLDER, registration(town.app.master, OPERATOR, town.key(), person)).id


def accept(town: Town, wallet: Id, inviter: Id, **given: Any) -> Any:
    """Accept an invitation, whatever comes of it."""
    code = given.pop("code", None) or invite_code(inviter)
    command = AcceptInvite(key=town.key(), caller=OPERATOR, wallet=wallet, program="jingxika", code=code, **given)
    return town.app.one(Kind.ACCEPT_INVITE, command)


def open_packets(town: Town, seed: bytes = b"s" * 32, code: str = "lucky") -> Effect:
    """Open a pool."""
    return town.ok(
        Kind.OPEN_PACKETS, OpenPackets(key=town.key(), caller=OPERATOR, program="jingxika", code=code, seed=seed)
    )


def take_packet(town: Town, wallet: Id, pool: Id) -> Any:
    """Open a packet, whatever comes of it."""
    return town.app.one(Kind.OPEN_PACKET, OpenPacket(key=town.key(), caller=OPERATOR, wallet=wallet, pool=pool))


def assert_proved(town: Town) -> None:
    """Every proof of the books holds."""
    assert [(proof.name, proof.facts) for proof in proofs(town.app.connection) if not proof.ok] == []
