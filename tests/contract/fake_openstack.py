"""
An OpenStack of canned answers: a token, a catalogue, version documents; each test adds the answers it is about.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests_mock

from fournines.cloud.openstack import OpenStackCloud, open_cloud
from fournines.settings import Settings

KEYSTONE = "http://keystone.test/v3"
NOVA = "http://nova.test/v2.1"
NEUTRON = "http://neutron.test"
OCTAVIA = "http://octavia.test"
GLANCE = "http://glance.test"
CINDER = "http://cinder.test/v3"
SWIFT = "http://swift.test/v1/AUTH_p1"
BARBICAN = "http://barbican.test"

SERVERS = f"{NOVA}/servers/detail"
LBAAS = f"{OCTAVIA}/v2.0/lbaas"
NET = f"{NEUTRON}/v2.0"

_CATALOGUE = {
    "identity": KEYSTONE,
    "compute": NOVA,
    "network": NEUTRON,
    "load-balancer": OCTAVIA,
    "image": GLANCE,
    "block-storage": CINDER,
    "object-store": SWIFT,
}

CLOUDS = """
clouds:
  fake:
    auth:
      auth_url: http://keystone.test/v3
      username: someone
      password: secret
      project_name: demo
      user_domain_name: Default
      project_domain_name: Default
    region_name: One
"""


class QuickClock:
    """
    The machine's clock, for which waiting costs a hundredth.
    """

    def now(self) -> datetime:
        """
        The present.
        """
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """
        Seconds.
        """
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """
        Next to nothing.
        """
        time.sleep(seconds / 100)


def answers(mock: requests_mock.Mocker, **further: str) -> None:
    """
    What every OpenStack says; `further` services by the catalogue's type, with "_" for "-".
    """
    mock.get(KEYSTONE, json={"version": _version("v3.14", KEYSTONE)})
    mock.post(
        f"{KEYSTONE}/auth/tokens",
        headers={"X-Subject-Token": "token"},
        json={"token": _token(further)},
    )
    nova = _version("v2.1", NOVA) | {"version": "2.95", "min_version": "2.1"}
    mock.get(NOVA, json={"version": nova})
    mock.get(f"{NOVA}/", json={"version": nova})
    for root, number in (
        (NEUTRON, "v2.0"),
        (OCTAVIA, "v2.26"),
        (GLANCE, "v2.15"),
    ):
        path = "v2.0" if root == NEUTRON else "v2"
        listed = {"versions": [_version(number, f"{root}/{path}")]}
        mock.get(root, json=listed)
        mock.get(f"{root}/", json=listed)
    cinder = _version("v3.0", CINDER) | {"version": "3.70", "min_version": "3.0"}
    mock.get(CINDER, json={"versions": [cinder]})
    mock.get(f"{CINDER}/", json={"versions": [cinder]})


def _version(number: str, href: str) -> dict[str, object]:
    return {
        "id": number,
        "status": "CURRENT",
        "links": [{"rel": "self", "href": href}],
    }


def _token(further: Mapping[str, str]) -> dict[str, object]:
    catalogue = _CATALOGUE | {k.replace("_", "-"): u for k, u in further.items()}
    return {
        "expires_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "issued_at": datetime.now(UTC).isoformat(),
        "methods": ["password"],
        "project": {"id": "p1", "name": "demo", "domain": {"id": "default"}},
        "user": {"id": "u1", "name": "someone", "domain": {"id": "default"}},
        "roles": [{"id": "r1", "name": "member"}],
        "catalog": [
            {
                "type": kind,
                "name": kind,
                "endpoints": [
                    {
                        "interface": "public",
                        "region": "One",
                        "region_id": "One",
                        "url": url,
                        "id": kind,
                    }
                ],
            }
            for kind, url in catalogue.items()
        ],
    }


def settings(tmp_path: Path, **chosen: Any) -> Settings:
    """
    Settings that lead to it.
    """
    file = tmp_path / "clouds.yaml"
    file.write_text(CLOUDS)
    return Settings(
        clouds_file=file,
        cloud="fake",
        state_dir=tmp_path,
        slot=0,
        retry_attempts=4,
        **chosen,
    )


def cloud(tmp_path: Path) -> OpenStackCloud:
    """
    An adapter for it.
    """
    return open_cloud(settings(tmp_path), clock=QuickClock())


def server(name: str, status: str = "ACTIVE", **changes: object) -> dict[str, object]:
    """
    A server of ours, as Nova tells of it.
    """
    return {
        "id": f"id-{name}",
        "name": name,
        "status": status,
        "metadata": {"fournines:platform": "demo", "fournines:service": "shop"},
        "addresses": {"net": [{"version": 4, "addr": "10.0.0.5"}]},
        "created": "2026-01-01T00:00:00Z",
        "OS-EXT-STS:task_state": None,
        **changes,
    }


def sent(mock: requests_mock.Mocker, method: str, url: str) -> int:
    """
    How often a request was sent.
    """
    return sum(
        one.method == method and one.url.split("?")[0] == url
        for one in mock.request_history
    )
