"""No line of the log holds a secret, a phone number, a name or an identity number, whatever is sent."""

from itertools import count

import pytest

from kaquan.kernel.caller import Role
from support.database import Database
from support.service import client, issue, served
from support.town import build

PHONE, NAME, ID_NUMBER = "13912345678", "欧阳修", "11010519491231002X"


def test_what_is_personal_or_secret_is_in_no_line(database: Database, capfd: pytest.CaptureFixture[str]) -> None:
    town = build(database.app_url)
    token = issue(town, Role.OPERATOR)
    keys = map(str, count())
    person = {"name": NAME, "phone": PHONE, "id_number": ID_NUMBER}
    with served(database, town, log_level="debug") as address, client(address, token) as operator:

        def post(path: str, body: object) -> int:
            return operator.post(path, json=body, headers={"Idempotency-Key": next(keys)}).status_code

        assert post("/v1/holders", person) == 200
        assert post("/v1/holders", person) == 409
        assert post("/v1/holders", {**person, "phone": f"{PHONE}9"}) == 422
        assert post("/v1/holders", {**person, "born": PHONE}) == 400
        assert post("/v1/holders/search", {"phone": PHONE}) == 200
        assert post("/v1/holders/search", {"phone": [PHONE]}) == 400
        assert operator.get(f"/v1/cards/{PHONE}").status_code == 404
        assert operator.get("/v1/cards/x", headers={"Authorization": f"Bearer {token}x"}).status_code == 401
    printed = "".join(capfd.readouterr())
    assert printed.count("request_id=") >= 8
    for secret in (PHONE, NAME, ID_NUMBER, token.rpartition("_")[2]):
        assert secret not in printed
