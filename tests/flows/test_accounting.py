"""The books for an accountant: closed days, files that add up and stay the same, a beancount file that checks itself."""

from pathlib import Path
from typing import Any

import pytest

from kaquan.accounting import service
from kaquan.accounting.service import Asked
from kaquan.ledger import service as ledger
from support.accounting import FIRST, LAST, balances, checked, closed, titles, written
from support.database import Database
from support.town import Town


@pytest.fixture
def town(database: Database) -> Town:
    return closed(database.app_url)


def test_bean_check_finds_nothing(town: Town, tmp_path: Path) -> None:
    for full in (False, True):
        (path,) = written(town, tmp_path / str(full), full=full)
        entries, errors = checked(path.read_text("utf-8"))
        assert errors == [] and len(balances(entries)) > 100
