"""Many callers at once, slow ones and hostile ones: nobody waits for another, nothing stands still."""

from concurrent.futures import ThreadPoolExecutor

import httpx2

from kaquan.api.serving import LOOKERS_MAX, Serving
from kaquan.kernel.caller import Role
from kaquan.kernel.clock import seconds
from support.desks import Desks
from support.service import client, issue


def test_a_herd_of_looks_is_answered(desks: Desks) -> None:
    """More callers than threads: those who have a connection must get a thread too."""
    operator = client(desks.address, desks.sides.token(Role.OPERATOR))

    def look(_: int) -> int:
        return operator.get("/v1/merchants").status_code

    began = seconds()
    with ThreadPoolExecutor(80) as pool:
        assert list(pool.map(look, range(160))) == [200] * 160
    assert seconds() - began < 20


def test_payments_find_a_way_past_whatever_is_slow(desks: Desks, serving: Serving) -> None:
    """Every connection for looks is taken: who pays does not notice, nor does who asks whether the process lives."""
    till = client(desks.address, issue(desks.sides.town, Role.OPERATOR))
    body = {
        "merchant": "mall-1",
        "amount_fen": 100,
        "order_no": "o-past",
        "card": desks.made("card_number")["card_number"],
    }
    taken = [serving._idle.get() for _ in range(LOOKERS_MAX)]
    try:
        told = till.post("/v1/payments", json=body, headers={"Idempotency-Key": "past"})
        assert told.status_code == 200, told.text
        for path in ("/healthz", "/readyz"):
            assert httpx2.get(f"{desks.address}{path}").status_code == 200
    finally:
        for one in taken:
            serving._idle.put(one)
