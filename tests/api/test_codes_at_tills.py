"""A payment code over HTTP: shown by a phone without a network, good once, and retried under the same id."""

import httpx2

from kaquan.kernel.caller import Role
from kaquan.kernel.ids import public
from kaquan.payment_codes import offline
from support.database import Database
from support.service import client, issue, served
from support.town import build


def test_a_code_pays_once_and_its_id_again_and_again(database: Database) -> None:
    town = build(database.app_url, ("activation_days = 1", "activation_days = 0"))
    wallet = town.holder()
    town.sell(wallet)
    phone_token = issue(town, Role.HOLDER, organisation="jingxi", wallet=wallet)
    till_token = issue(town, Role.CASHIER, organisation="jingxi-stores", merchant="mall-1")
    with (
        served(database, town) as address,
        client(address, phone_token) as phone,
        client(address, till_token) as till,
    ):
        device = phone.post(
            f"/v1/wallets/{public('wal', wallet)}/devices", json={"label": "phone"}, headers={"Idempotency-Key": "d"}
        ).json()
        assert device["outcome"] == "effect", device

        def pay(code: str, key: str, order_no: str) -> httpx2.Response:
            body = {"merchant": "mall-1", "amount_fen": 700, "order_no": order_no, "code": code}
            return till.post("/v1/payments", json=body, headers={"Idempotency-Key": key})

        now = int(town.app.door.at().timestamp())
        code = offline.code(bytes.fromhex(device["secret"]), device["handle"], now)
        first = pay(code, "one", "o-1")
        assert first.status_code == 200, first.text
        again = pay(code, "one", "o-1")
        assert again.json()["replayed"] and again.json()["payment"] == first.json()["payment"]
        twice = pay(code, "two", "o-2")
        unknown = pay(offline.code(bytes(32), "00000000", now), "three", "o-3")
        assert twice.status_code == unknown.status_code >= 400
        assert twice.json()["code"] == unknown.json()["code"] == "payment_code_invalid"
        assert twice.json()["facts"] == unknown.json()["facts"], "nobody learns which"
    assert town.rows("SELECT count(*), sum(amount) FROM payment") == [(1, 700)]
