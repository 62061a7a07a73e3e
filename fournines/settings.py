"""
Every limit and address, named with its unit; each may be set by an environment variable `FOURNINES_<NAME>`.

`state_dir` and `slot` are the one setting that keeps two checkouts on one machine apart: ports and names follow from
the slot, and the slot follows from the checkout unless it is set.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from fournines import slots
from fournines.concealment import conceal

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: this is a project that runs from its checkout, never an uploaded package."""

_PORT_BASE = 20000
_PORTS_PER_SLOT = 100
_OFFSETS = {
    "prefect": 20,
    "prometheus": 21,
    "alertmanager": 22,
    "blackbox": 23,
    "healer": 24,
    "artefacts": 25,
    "load": 26,
}
"""Offsets 0 to 19 of a slot are the embedded cloud's."""


class StoreKeys(StrEnum):
    """
    Where the keys that secrets in the store are encrypted with are kept.
    """

    AUTO = "auto"
    FILE = "file"
    BARBICAN = "barbican"


class Settings(BaseSettings):
    """
    The project's settings. Read once at the edge and handed down.
    """

    model_config = SettingsConfigDict(
        env_prefix="FOURNINES_", frozen=True, extra="ignore"
    )

    state_dir: Path = Field(
        default_factory=lambda: ROOT / ".fournines",
        description="Everything this checkout remembers: store, logs, embedded cloud.",
    )
    checkout: Path = Field(
        ROOT, description="Where the embedded cloud's clouds.yaml is looked for."
    )
    slot: int | None = Field(
        None, ge=0, lt=slots.SLOTS, description="0-49; None: derived and remembered."
    )
    cloud: str = Field("fournines", description="Entry of clouds.yaml to work on.")
    clouds_file: Path | None = Field(
        None,
        description="clouds.yaml; None: the embedded cloud's, then the SDK's search path.",
    )
    base_image: str | None = Field(
        None,
        description="What the recipe `base` grows from: a Debian or Ubuntu cloud image; None: as it says.",
    )
    package_source: str | None = Field(
        None,
        description="A line of an apt source list, in place of an image's own sources while it is baked.",
    )
    objects_url: str | None = Field(
        None,
        description="Object store that speaks S3 with TLS, for backups; None: the cloud's own, by its catalogue.",
    )
    objects_region: str | None = Field(None, description="None: the cloud's.")
    objects_ca_file: Path | None = Field(
        None,
        description="Authority of its certificate; None: the one of clouds.yaml, else those that everybody knows.",
    )
    objects_access_key: SecretStr | None = Field(
        None, description="Key of an object store that is not the cloud's own ..."
    )
    objects_secret_key: SecretStr | None = Field(
        None, description="... None: keys are made in Keystone, one a service."
    )
    database_url: str | None = Field(
        None, description="Store; None: SQLite in state_dir. postgresql+psycopg://..."
    )
    store_keys: StoreKeys = Field(
        StoreKeys.AUTO,
        description="Keys of the secrets in it: file, barbican; auto: the file if there is one, else Barbican if the cloud has it.",
    )
    prefect_url: str | None = Field(
        None, description="Prefect API; None: the local one."
    )
    prometheus_url: str | None = Field(None, description="None: the local one.")
    alertmanager_url: str | None = Field(None, description="None: the local one.")
    webhook_token: SecretStr | None = Field(
        None, description="Alertmanager's bearer token; None: generated into state_dir."
    )
    page_url: SecretStr | None = Field(
        None, description="Webhook for people: pages and tickets. Often holds a key."
    )
    dead_man_url: SecretStr | None = Field(
        None,
        description="Dead man's switch outside: gets the Watchdog every minute.",
    )
    bind: str = Field("127.0.0.1", description="Address the healer's door listens on.")

    poll_seconds: float = Field(
        0.25,
        gt=0,
        description="Waiting for a cloud resource: a server is ACTIVE in ~2 s.",
    )
    request_timeout_seconds: float = Field(
        30, gt=0, description="One API call; a busy Octavia answers within 10 s."
    )
    retry_attempts: int = Field(
        8, ge=1, description="Tries of one API call on transient errors."
    )
    retry_total_seconds: float = Field(
        60, gt=0, description="Time for all tries of one API call."
    )
    parallel_steps_max: int = Field(
        16,
        ge=1,
        description="Steps of one plan at once: Nova builds 16 at a time well.",
    )
    lease_ttl_seconds: float = Field(
        30,
        gt=0,
        description="A dead deploy's lease frees after this; renewed every third.",
    )
    healing_lease_ttl_seconds: float = Field(
        4,
        gt=0,
        description=(
            "A dead healer's cases are free after this; with a look for them every half second the next healer "
            "has them within 5 s. One that is stopped for longer loses them, and its writes are refused."
        ),
    )
    heals_at_once_max: int = Field(
        4, ge=1, description="Heal flows at once; Prefect serves ~3 flow runs a second."
    )
    reconcile_seconds: int = Field(
        60, ge=5, description="Scheduled reconcile: a lost webhook costs at most this."
    )

    keep_alerts_days: int = Field(
        14, ge=1, description="Resolved alerts; those that still fire stay as cases do."
    )
    keep_cases_days: int = Field(
        400, ge=1, description="Ended cases: a year and a month, for comparison."
    )
    keep_plans_days: int = Field(90, ge=1, description="Closed plans and journals.")

    @property
    def resolved_slot(self) -> int:
        """
        The slot of this checkout.
        """
        return self.slot if self.slot is not None else slots.claim(self.state_dir)

    def port(self, name: str) -> int:
        """
        A local port of this checkout: prefect, prometheus, alertmanager, blackbox, healer, artefacts, load.
        """
        return _PORT_BASE + _PORTS_PER_SLOT * self.resolved_slot + _OFFSETS[name]

    def url(self, name: str) -> str:
        """
        The URL of a local server (or the one set), without a path.
        """
        given: str | None = getattr(self, f"{name}_url", None)
        return given.rstrip("/") if given else f"http://127.0.0.1:{self.port(name)}"

    @property
    def store_url(self) -> str:
        """
        SQLAlchemy URL of the store.
        """
        return self.database_url or f"sqlite:///{self.state_dir / 'store.db'}"

    @property
    def webhook_token_file(self) -> Path:
        """
        The file that holds the webhook's bearer token, mode 0600; made by `fournines up`.
        """
        return self.state_dir / "secrets" / "webhook-token"

    @property
    def store_key_file(self) -> Path:
        """
        The file with the keys that secrets in the store are encrypted with, mode 0600, unless they are in Barbican. Hosts that share a store share it.
        """
        return self.state_dir / "secrets" / "store-key"

    @property
    def sandbox_home(self) -> Path:
        """
        State directory of the embedded cloud.
        """
        return self.state_dir / "cloud"

    @property
    def log_dir(self) -> Path:
        """
        Logs of everything local, in one place.
        """
        return self.state_dir / "log"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """
    The settings of this process.
    """
    made = Settings()
    secrets = (
        made.webhook_token,
        made.page_url,
        made.dead_man_url,
        made.objects_secret_key,
    )
    conceal(*(one.get_secret_value() for one in secrets if one))
    # Not parsed as a URL: one that is malformed holds its password all the same.
    for found in re.findall(r":([^:/@\s]+)@", made.database_url or ""):
        conceal(found, unquote(found))
    return made
