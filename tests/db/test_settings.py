"""Settings come from the environment and say what is wrong with them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from kaquan.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "KAQUAN_HOME",
        "KAQUAN_DATABASE_URL",
        "KAQUAN_PG_BIN",
        "PG_BIN",
        "KAQUAN_SHARED_BUFFERS_MB",
        "KAQUAN_MASTER_KEY",
    ):
        monkeypatch.delenv(name, raising=False)


def test_defaults_use_the_private_server(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.home == tmp_path / ".kaquan"
    assert (settings.shared_buffers_mb, settings.lang) == (512, "zh")


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_environment_is_read_and_empty_means_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAQUAN_HOME", "somewhere")
    monkeypatch.setenv("PG_BIN", "/opt/pg/bin")
    monkeypatch.setenv("KAQUAN_DATABASE_URL", "")
    settings = load_settings()
    assert settings.home == tmp_path / "somewhere"
    assert settings.pg_bin == Path("/opt/pg/bin")
    assert settings.database_url is None


@pytest.mark.parametrize(
    ("name", "value"), [("KAQUAN_SHARED_BUFFERS_MB", "0"), ("KAQUAN_LANG", "fr"), ("KAQUAN_MASTER_KEY", "ab")]
)
def test_impossible_values_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.removeprefix("KAQUAN_").lower()):
        load_settings()


def test_secrets_are_not_shown() -> None:
    settings = Settings(database_url="postgresql://kaquan_app:hush@db/kaquan", master_key="ab" * 32)
    assert "hush" not in repr(settings)
    assert "abab" not in repr(settings)
