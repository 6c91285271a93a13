"""Where things live and what may be tuned: the only reader of the environment.

Belongs here: every setting, its default, its unit, and the folders under the home. Does not belong
here: anything that opens, creates or deletes what the paths point at, but the home itself.

pydantic-settings was chosen over our own parsing: typed, validated, and errors name the variable.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated

from platformdirs import user_data_path
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.errors import BadSettingsError

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Settings from `RATEHOUSE_*` variables; `home` is the one most people set."""

    model_config = SettingsConfigDict(env_prefix="RATEHOUSE_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=lambda: user_data_path("ratehouse"))
    memory_limit: str = "4GB"  # of the database engine; it spills to `tmp` beyond
    threads: Annotated[int, Field(ge=1)] = Field(default_factory=lambda: min(os.cpu_count() or 2, 8))
    lock_timeout_seconds: Annotated[float, Field(ge=0)] = 60.0
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8787
    collect_spool_bytes: Annotated[int, Field(ge=1)] = 4 * 1024**3  # collected logs waiting for the next pass
    collect_body_bytes: Annotated[int, Field(ge=1)] = 16 * 1024**2  # one post as sent; twice that decompressed
    captures: Path | None = None  # a folder of captures, for tests only

    @cached_property
    def root(self) -> Path:
        """The home as an absolute path: a relative one made a second database once."""
        return self.home.expanduser().resolve()

    @property
    def database(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def inbox(self) -> Path:
        """Files put here are ingested by the next run."""
        return self.root / "inbox"

    @property
    def collected(self) -> Path:
        """What the collector acknowledged and no pass took yet."""
        return self.inbox / "collected"

    @property
    def segments(self) -> Path:
        """Landed log files, immutable, named by content hash."""
        return self.root / "segments"

    @property
    def pages(self) -> Path:
        """Stored pricing pages, immutable, named by content hash."""
        return self.root / "pages"

    @property
    def overrides(self) -> Path:
        """Contract prices, discounts and corrections of the house: `*.yml`, read on each pass."""
        return self.root / "overrides"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def dagster_home(self) -> Path:
        return self.root / "dagster"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def dbt_project(self) -> Path:
        return PROJECT_ROOT / "dbt_project"

    def create_home(self) -> None:
        """Make the home and its folders, readable by the owner only (logs name tenants and keys)."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.inbox, self.segments, self.pages, self.overrides, self.published, self.reports,
                           self.dagster_home, self.tmp):  # fmt: skip
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise BadSettingsError(
                f"the home {self.root} cannot be made ({error.strerror}); give another with --home"
            ) from error


def load(home: Path | None = None) -> Settings:
    """Settings from the environment; `home` overrides. Raises BadSettingsError naming the variable."""
    try:
        return Settings(home=home) if home else Settings()
    except ValidationError as error:
        first = error.errors()[0]
        variable = "RATEHOUSE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise BadSettingsError(f"{variable}: {first['msg']}") from error


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment for the tools we start (dbt, Dagster): ours, plus where the home is.

    Telemetry is off in every one of them; nothing may try the network unasked.
    """
    return {
        **os.environ,
        "RATEHOUSE_HOME": str(settings.root),
        "RATEHOUSE_DATABASE": str(settings.database),
        "RATEHOUSE_MEMORY_LIMIT": settings.memory_limit,
        "RATEHOUSE_THREADS": str(settings.threads),
        "RATEHOUSE_TMP": str(settings.tmp),
        "DAGSTER_HOME": str(settings.dagster_home),
        "DBT_PROFILES_DIR": str(settings.dbt_project),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def adopt_environment(variables: Mapping[str, str]) -> None:
    """Put variables into this process, for libraries that read them (Dagster, dbt)."""
    os.environ.update(variables)
