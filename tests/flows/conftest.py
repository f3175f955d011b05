"""What flows through the command line share."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from kaquan.db.binaries import find
from kaquan.db.embedded import open_server
from kaquan.db.errors import BinariesMissing
from kaquan.settings import Settings
from support.cli import ID_NUMBER, NAME, PHONE, Shop, program_file
from support.database import TEST_SETTINGS
from support.require import require


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    try:
        find(None, None, None)
    except BinariesMissing as fault:
        require("postgres", str(fault))
    folder = tmp_path_factory.mktemp("cli")
    shop = Shop(folder / "home", {"KAQUAN_SHARED_BUFFERS_MB": "32"})
    shop.first = shop.run("init")
    assert shop.first.code == 0, shop.first
    settings = Settings(home=shop.home, shared_buffers_mb=32)
    with open_server(settings, ephemeral=True, overrides=TEST_SETTINGS) as server:
        shop.url = server.app_url
        shop.set_clock(datetime(2025, 5, 20, 4, tzinfo=UTC))
        shop.ok("organisation", "register", "jingxi", "--name", "京喜集团", "--book")
        shop.ok("organisation", "register", "jingxi-stores", "--name", "京喜门店")
        bank = ("--bank", "工商银行", "--account-no", "6222020200112230")
        shop.ok("merchant", "register", "mall-1", "--name", "一号店", "--group", "jingxi-stores", *bank)
        shop.ok("store", "register", "mall-1-east", "--name", "东门", "--merchant", "mall-1")
        shop.ok("program", "open", program_file(folder))
        typed = f"{PHONE}\n{ID_NUMBER}\n"
        person = ("--name", NAME, "--phone", "-", "--id-number", "-")
        shop.ok("holder", "register", *person, stdin=typed)
        yield shop
