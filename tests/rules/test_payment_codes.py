"""Payment codes: their form, their digits, how long they live, which are guessed at."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.cards.model import Card, Lot
from kaquan.cards.numbers import PREFIX as CARD_PREFIX
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import BUCKETS, Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.payment_codes import offline
from kaquan.payment_codes.errors import DEVICE_LABEL_INVALID, PAYMENT_CODE_MALFORMED
from kaquan.payment_codes.model import Shower, ShownCode, bucket_of_handle, told_handle
from kaquan.payment_codes.rules import MISSES_MAX, handles_for, in_order, judge, label, read, step_of
from kaquan.payments.model import Pay

SECRET = b"12345678901234567890123456789012"
VECTORS = json.loads((Path(__file__).parents[1] / "golden" / "payment_codes.json").read_text("utf-8"))
SECOND = 1_000_000
BODIES = st.text("0123456789", min_size=1, max_size=17)
DEVICE = Id(bytes(16))


@pytest.mark.parametrize(
    ("now", "digits"),
    [(59, "46119246"), (1111111109, "68084774"), (1234567890, "91819424"), (20000000000, "77737706")],
)
def test_the_digits_are_those_of_rfc_6238(now: int, digits: str) -> None:
    """Its appendix B gives eight digits of SHA-256 for this secret; ours are the last seven."""
    assert offline.time_digits(SECRET, now // 30) == digits[1:]


@pytest.mark.parametrize("vector", VECTORS, ids=[str(one["now"]) for one in VECTORS])
def test_the_vectors_for_makers_of_apps(vector: dict[str, str]) -> None:
    assert offline.code(bytes.fromhex(vector["secret"]), vector["handle"], int(vector["now"])) == vector["code"]


def test_the_offline_generator_needs_nothing_but_python() -> None:
    text = Path(offline.__file__).read_text("utf-8")
    assert [line for line in text.splitlines() if "import" in line.split()[:1] or line.startswith("from")] == [
        "import hmac"
    ]


def test_the_prefix_is_nobody_elses() -> None:
    wechat = {str(number) for number in range(10, 16)}
    alipay = {str(number) for number in range(25, 31)}
    identity = {*map(str, (11, 12, 13, 14, 15, 21, 22, 23, *range(31, 38), *range(41, 47), *range(50, 55)))}
    identity |= {*map(str, (*range(61, 66), 71, 81, 82, 83, 91))}
    assert offline.PREFIX not in wechat | alipay | identity | {CARD_PREFIX}
    assert offline.PREFIX[0] not in "3456" and len(offline.PREFIX) == 2


@given(BODIES, st.data())
def test_a_check_digit_tells_every_wrong_digit(body: str, data: st.DataObject) -> None:
    code = body + offline.check_digit(body)
    at = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != code[at]]))
    wrong = code[:at] + other + code[at + 1 :]
    assert offline.check_digit(wrong[:-1]) != wrong[-1]


@given(BODIES, st.data())
def test_a_check_digit_tells_every_two_neighbours_that_changed_places(body: str, data: st.DataObject) -> None:
    code = body + offline.check_digit(body)
    at = data.draw(st.integers(0, len(code) - 2))
    wrong = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    assert wrong == code or offline.check_digit(wrong[:-1]) != wrong[-1]


@given(st.integers(0, 10**8 - 1), st.integers(0, 2**33))
def test_a_code_is_read_as_it_was_made(handle: int, now: int) -> None:
    code = offline.code(SECRET, told_handle(handle), now)
    assert len(code) == offline.LENGTH == 18
    digits = offline.time_digits(SECRET, now // 30)
    assert read(f" {code[:4]} {code[4:8]}-{code[8:]}") == ShownCode(handle, digits)


@pytest.mark.parametrize(
    "typed", ["", "8", "88" + "0" * 16, "87" + "0" * 15, "87" + "x" * 16, "87" + "٣" * 16, "8" * 500, "870" * 6]
)
def test_what_is_no_code_is_told_without_a_look_up(typed: str) -> None:
    found = read(typed)
    assert isinstance(found, Refusal) and found.code is PAYMENT_CODE_MALFORMED


@given(st.integers(0, 2**31), st.integers(-200, 200))
def test_a_code_lives_sixty_seconds_and_a_phone_may_be_off_by_thirty(step: int, after: int) -> None:
    """`after` the beginning of its step, in seconds."""
    begins = 600 + step * 30
    digits = offline.time_digits(SECRET, begins // 30)
    counts = step_of(SECRET, digits, (begins + after) * SECOND) is not None
    neighbours = [offline.time_digits(SECRET, begins // 30 + more) for more in range(-9, 10) if more]
    assert counts == (-30 <= after < 90) or digits in neighbours


def test_after_too_many_wrong_codes_the_right_one_does_not_count() -> None:
    right = ShownCode(0, offline.time_digits(SECRET, 100))
    wrong = [ShownCode(0, f"{number:07d}") for number in range(MISSES_MAX)]
    assert all(step_of(SECRET, one.digits, 3_000 * SECOND) is None for one in wrong)

    def judged(*codes: ShownCode, misses: int = 0) -> tuple[int, int]:
        shower = Shower(DEVICE, DEVICE, SECRET, misses)
        found = judge([(Id(bytes([n]) * 16), code, shower) for n, code in enumerate(codes)], 3_000 * SECOND)
        return len(found.uses), len(found.misses)

    assert judged(right) == (1, 0)
    assert judged(*wrong[1:], right) == (1, MISSES_MAX - 1)
    assert judged(*wrong, right) == (0, MISSES_MAX)
    assert judged(*[wrong[0]] * 9, right) == (1, 1), "the same wrong code in one step is one mistake"
    assert judged(right, misses=MISSES_MAX) == (0, 0)
    assert judged(wrong[0], right, misses=MISSES_MAX - 1) == (0, 1)


def test_a_retry_may_bring_another_code() -> None:
    def content(code: ShownCode | None, amount: int = 1) -> bytes:
        return Pay(
            key="k",
            caller=OPERATOR,
            card=None,
            wallet=DEVICE,
            merchant=DEVICE,
            store=None,
            amount=Money(amount),
            order_no="o-1",
            code=code,
        ).content()

    assert content(ShownCode(1, "0000001")) == content(ShownCode(2, "0000002")) == content(None)
    assert content(ShownCode(1, "0000001")) != content(ShownCode(1, "0000001"), amount=2)


@given(st.binary(min_size=16, max_size=16))
def test_a_handle_tells_the_bucket_of_its_wallet(command: bytes) -> None:
    handles = handles_for(Id(command))
    assert {bucket_of_handle(handle) for handle in handles} == {bucket_of(command)}
    assert len(set(handles)) > 10 and all(len(told_handle(handle)) == 8 for handle in handles)
    assert handles == handles_for(Id(command))
    assert bucket_of(command) in BUCKETS


@pytest.mark.parametrize("typed", ["", " ", "x" * 41, "a\nb"])
def test_a_label_that_cannot_be_is_refused(typed: str) -> None:
    found = label(typed)
    assert isinstance(found, Refusal) and found.code is DEVICE_LABEL_INVALID


def test_the_cards_behind_a_code_have_an_order() -> None:
    def card(name: str) -> Card:
        return Card(_id(name), 1, DEVICE, 1, 1, 1, 1, "")

    def lot(name: str, balance: int, expires: int) -> Lot:
        return Lot(_id(f"lot {name}"), 1, _id(name), 0, 0, 0, balance, 0, 0, expires)

    names = ["empty", "never", "soon", "later", "over"]
    lots = {
        _id("never"): [lot("never", 5, 0)],
        _id("soon"): [lot("soon", 5, 0), lot("soon", 1, 200)],
        _id("later"): [lot("later", 900, 300)],
        _id("over"): [lot("over", 900, 50)],
    }

    def order(preferred: str = "") -> list[str]:
        found = in_order([card(name) for name in names], lambda one: lots.get(one, []), _id(preferred), 100)
        return [next(name for name in names if _id(name) == one.id) for one in found]

    assert order()[:3] == ["soon", "later", "never"] and set(order()[3:]) == {"empty", "over"}
    assert order("never")[:3] == ["never", "soon", "later"]
    assert order("empty")[0] == "empty"


def _id(name: str) -> Id:
    return Id(sha256(name.encode()).digest()[:16])
