"""`kaquan webhooks` in child processes: from adding an endpoint to replaying what it missed; its guide, tried."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from kaquan.cli.logs import path_of
from kaquan.kernel.clock import system_now
from kaquan.kernel.ids import new_id
from kaquan.webhooks import secrets
from kaquan.webhooks.model import Delivery
from support.cli import Shop, opened_shop
from support.receiver import Came, receiving
from support.teller import ID_NUMBER

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened_shop(tmp_path, "张三", ID_NUMBER) as opened:
        opened.environment |= {"KAQUAN_WEBHOOKS_ALLOW_HTTP": "1", "KAQUAN_WEBHOOKS_ALLOW_PRIVATE": "1"}
        opened.set_clock(system_now())
        yield opened


def test_an_endpoint_is_added_heard_of_rotated_and_removed(shop: Shop) -> None:
    with receiving() as receiver:
        receiver.status = 503
        add = ("webhooks", "add", receiver.url, "--event", "card.*", "--key", "hook-1")
        added = shop.ok(*add)
        endpoint, secret = added["endpoint"], added["secret"]
        assert endpoint.startswith("whe_") and secret.startswith("whsec_")
        again = shop.run(*add)
        assert again.code == 0 and "whsec_" not in again.out + again.err and "rotate" in again.err
        card = shop.card()
        assert shop.ok("webhooks", "run", "--once")["failed"] == 1
        (delivery,) = shop.ok("webhooks", "deliveries", endpoint)["deliveries"]
        assert (delivery["event"], delivery["state"], delivery["status"]) == ("card.sold.v1", "waiting", 503)
        receiver.status = 200
        assert shop.ok("webhooks", "replay", delivery["delivery"])["replayed_count"] == 1
        assert shop.ok("webhooks", "run", "--once")["delivered"] == 1
        assert [one.id for one in receiver.came] == [delivery["event_id"]] * 2
        assert receiver.came[1].verified(secret)["data"]["card"] == shop.ok("card", "show", card)["card"]
        attempts = shop.ok("webhooks", "deliveries", delivery["delivery"])["attempts"]
        assert [one["status"] for one in attempts] == [503, 200]
        rotated = shop.ok("webhooks", "rotate", endpoint)
        assert rotated["secret"] != secret
        back = shop.ok("webhooks", "replay", endpoint, "--from", "2025-01-01 00:00")
        assert back["replayed_count"] == 1 and shop.ok("webhooks", "run", "--once")["delivered"] == 1
        assert receiver.came[2].verified(secret) == receiver.came[2].verified(rotated["secret"])
    unknown = shop.no("webhooks", "deliveries", delivery["delivery"][:-4] + "zzzz")
    assert unknown["code"] == "delivery_unknown"
    shown = shop.ok("webhooks", "show", endpoint)
    assert shown["state"] == "running" and "whsec_" not in str(shown)
    changed = shop.ok("webhooks", "change", endpoint, "--event", "payment.*")
    assert changed["events"] == "payment.*"
    (row,) = shop.ok("webhooks", "list")["endpoints"]
    assert (row["undelivered"], row["given_up"], row["events"]) == (0, 0, ["payment.*"])
    shop.ok("webhooks", "remove", endpoint)
    assert shop.ok("webhooks", "list")["endpoints"] == []
    assert shop.no("webhooks", "rotate", endpoint)["code"] == "endpoint_removed"
    log = path_of(shop.home).read_text("utf-8") if path_of(shop.home).exists() else ""
    assert not any(part in log for part in ("whsec_", secret[6:], rotated["secret"][6:], receiver.url))


def test_without_the_settings_nothing_inside_is_reached(shop: Shop) -> None:
    for name in ("KAQUAN_WEBHOOKS_ALLOW_HTTP", "KAQUAN_WEBHOOKS_ALLOW_PRIVATE"):
        shop.environment.pop(name)
    for url, code in (
        ("http://shop.example/", "endpoint_url_invalid"),
        ("https://127.0.0.1/", "endpoint_address_refused"),
        ("https://localhost/", "endpoint_address_refused"),
        ("https://0x7f.1/", "endpoint_address_refused"),
        ("https://2130706433/", "endpoint_address_refused"),
        ("https://shop.invalid/", "endpoint_host_unknown"),
    ):
        assert shop.no("webhooks", "add", url)["code"] == code, url
    assert shop.no("webhooks", "list", "--organisation", "nobody")["code"] == "endpoint_organisation_unknown"
    assert shop.run("webhooks", "replay", "whe_" + "0" * 26).code == 1
    assert shop.ok("webhooks", "list")["endpoints"] == []


def test_what_the_guide_tells_a_receiver_to_do_verifies(tmp_path: Path) -> None:
    secret, event = secrets.drawn(), new_id(1, 60)
    delivery = Delivery(event, 1, event, event, 0, 0, '{"data":{"program":"京喜卡"}}'.encode())
    headers = secrets.headers(delivery, [secrets.drawn(), secret], system_now())
    english, chinese = ((GUIDES / name).read_text("utf-8") for name in ("webhooks.md", "webhooks.zh.md"))
    for page in (english, chinese):
        (python,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
        kept: dict[str, object] = {}
        scope: dict[str, object] = {"remember": kept.__setitem__}
        exec(python.replace("whsec_…", secret), scope)
        receive = scope["receive"]
        assert callable(receive) and receive(delivery.body, headers) == 204
        assert list(kept) == [headers["webhook-id"]]
        assert receive(delivery.body + b" ", headers) == 401
        (shell,) = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
        (tmp_path / "body").write_bytes(delivery.body)
        told = {"secret": secret, "id": headers["webhook-id"], "timestamp": headers["webhook-timestamp"]}
        assert shutil.which("openssl")
        done = subprocess.run(
            ["sh", "-c", shell], env={"PATH": "/usr/bin:/bin", **told}, cwd=tmp_path, capture_output=True, check=True
        )
        assert f"v1,{done.stdout.decode().strip()}" in headers["webhook-signature"].split(" ")
    with pytest.raises(WebhookVerificationError):
        Came("", headers, delivery.body + b" ").verified(secret)
