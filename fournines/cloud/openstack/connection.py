"""
The way to an OpenStack: openstacksdk's connection, used for credentials, catalogue, versions and transport.

The requests themselves are written out here in the words of the API references, through the SDK's per-service adapters: each at
the lowest microversion that serves, each counted, none retried below us. (The SDK's own resource layer negotiates the newest
microversion it knows, lacks Octavia's batch update of members and polls every 2-5 s.)
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

import openstack
import yaml
from keystoneauth1.adapter import Adapter
from openstack.config import OpenStackConfig

from fournines.cloud.errors import CredentialsRefused, FeatureMissing
from fournines.cloud.openstack import status_tree, translation
from fournines.concealment import conceal
from fournines.settings import Settings

T = TypeVar("T")

SERVICES = (
    "identity",
    "compute",
    "network",
    "load_balancer",
    "block_storage",
    "image",
)
"""The SDK's names of the services we speak to."""

PARALLEL_READS_MAX = 16
"""Reads of one inventory at once: enough for 16 pools, gentle to the API."""

SOCKET_POOLS = 10
SOCKETS_MAX = 64
"""Sockets kept open per service: steps, reads and waits of one plan all run at once."""

_IDENTITY = {
    "service_type": "identity",
    "min_version": (3, 0),
    "max_version": (3, "latest"),
}

PAGES_MAX = 1_000
"""A listing of more pages is a server that sends us in circles."""

Json = Any

logging.getLogger("keystoneauth").setLevel(logging.ERROR)
"""Its warnings repeat, on people's terminals, what our errors say in one sentence."""


class Connection:
    """
    Requests to one cloud as one project. Thread-safe.

    Attributes:
        requests: How often each "METHOD service" was sent.
    """

    def __init__(self, sdk: openstack.connection.Connection, timeout: float) -> None:
        self._sdk = sdk
        self._timeout = timeout
        self._lock = threading.Lock()
        self._adapters: dict[str, Any] = {}
        self._project: str | None = None
        self._pool = ThreadPoolExecutor(
            PARALLEL_READS_MAX, thread_name_prefix="openstack"
        )
        self.requests: Counter[str] = Counter()

    def close(self) -> None:
        """
        Let go of threads and sockets.
        """
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._sdk.close()

    @property
    def project_id(self) -> str:
        """
        The project we act in.
        """
        if self._project is None:
            self._project = self._translated(
                "asking Keystone for a token", lambda: self._sdk.current_project_id
            )
        return str(self._project)

    @property
    def access(self) -> Any:
        """
        The token's content: user, roles, catalogue.
        """
        session = self._sdk.session
        return self._translated(
            "asking Keystone for a token",
            lambda: cast("Any", session.auth).get_access(session),
        )

    def changes_of(self, service: str) -> int:
        """
        How many requests that may have changed something were sent to a service.
        """
        ours = [n for n in (*self.requests,) if n.endswith(f" {service}")]
        return sum(self.requests[name] for name in ours if not name.startswith("GET "))

    def token_is_good(self, attempted: str, *, timeout: float) -> None:
        """
        Ask Keystone about our own token, as other services ask it. Raises CloudError.
        """
        session = self._sdk.session

        def ask() -> Any:
            return session.get(
                "/auth/tokens",
                endpoint_filter=_IDENTITY,
                headers={"X-Subject-Token": session.get_token()},
                raise_exc=False,
                connect_retries=0,
                timeout=timeout,
            )

        self.requests["GET identity"] += 1
        response = self._translated(attempted, ask)
        if response.status_code >= 400:
            raise translation.from_response(
                attempted, response.status_code, response.text
            )

    def endpoint(self, kinds: Sequence[str], attempted: str) -> str:
        """
        Scheme, host and port of the first service of these kinds that the catalogue has; empty when it has none.
        """
        for kind in kinds:
            find = partial(self._sdk.config.get_session_endpoint, kind)
            found = self._translated(attempted, find)
            if found:
                parts = urlsplit(str(found))
                return f"{parts.scheme}://{parts.netloc}"
        return ""

    @property
    def region(self) -> str:
        """
        The region we are in.
        """
        return str(self._sdk.config.region_name or "")

    @property
    def ca_file(self) -> str:
        """
        The authority that the cloud's own certificates are of; empty: one that everybody knows.
        """
        verify, _ = self._sdk.config.get_requests_verify_args()
        return verify if isinstance(verify, str) else ""

    def offers(self, service: str) -> bool:
        """
        Whether the catalogue has the service.
        """
        try:
            self.adapter(service)
        except FeatureMissing:
            return False
        return True

    def adapter(self, service: str) -> Any:
        """
        The SDK's adapter of a service. Raises FeatureMissing when the cloud has none.
        """
        with self._lock:
            if service not in self._adapters:
                self._adapters[service] = self._translated(
                    f"finding the {service.replace('_', '-')} service",
                    lambda: self._find(service),
                )
            return self._adapters[service]

    def parts_in_error(self, load_balancer_id: str) -> str:
        """
        What of a load balancer is in ERROR, for people; empty when it cannot be told.
        """
        endpoint = str(self.adapter("load_balancer").get_endpoint())
        return status_tree.parts_in_error(self._sdk.session, endpoint, load_balancer_id)

    def _find(self, service: str) -> Any:
        adapter = getattr(self._sdk, service)
        # Of the class: the SDK's identity service has another method of that name.
        if Adapter.get_endpoint(adapter) is None:
            raise FeatureMissing(
                f"finding the {service.replace('_', '-')} service",
                "it is not in the catalogue",
            )
        return adapter

    def ask(self, service: str, attempted: str, call: Callable[[Any], T]) -> T:
        """
        What the SDK itself does with a service, where its words serve us as they are. Raises CloudError.
        """
        adapter = self.adapter(service)
        self.requests[f"SDK {service}"] += 1
        return cast("T", self._translated(attempted, lambda: call(adapter)))

    def get(self, service: str, path: str, attempted: str, **options: Any) -> Json:
        """
        One GET.
        """
        return self.send("GET", service, path, attempted, **options)

    def send(
        self,
        method: str,
        service: str,
        path: str,
        attempted: str,
        *,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        microversion: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Json:
        """
        One request, once; its answer's content, or None when it is empty. Raises CloudError.
        """
        adapter = self.adapter(service)
        options: dict[str, Any] = {
            "params": params,
            "timeout": timeout or self._timeout,
        }
        if body is not None:
            options["json"] = body
        if microversion is not None:
            options["microversion"] = microversion
        if headers is not None:
            options["headers"] = dict(headers)
        self.requests[f"{method} {service}"] += 1
        response = self._translated(
            attempted,
            lambda: adapter.request(
                path, method, raise_exc=False, connect_retries=0, **options
            ),
        )
        if response.status_code >= 400:
            raise translation.from_response(
                attempted, response.status_code, response.text
            )
        if not response.content:
            return None
        return self._translated(attempted, response.json)

    def listing(
        self,
        service: str,
        path: str,
        key: str,
        attempted: str,
        *,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        microversion: str | None = None,
    ) -> list[Json]:
        """
        All pages of a list.
        """
        found: list[Json] = []
        query: Any = params
        for _ in range(PAGES_MAX):
            page = self.get(
                service, path, attempted, params=query, microversion=microversion
            )
            found.extend(page.get(key, []))
            query = _next_query(page, key)
            if query is None or not page.get(key):
                return found
        return found

    def together(self, *reads: Callable[[], T]) -> list[T]:
        """
        Several reads at once, in the order given. The first error comes out. Reads do not nest.
        """
        if len(reads) == 1:
            return [reads[0]()]
        futures = [self._pool.submit(read) for read in reads]
        return [future.result() for future in futures]

    def _translated(self, attempted: str, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except Exception as error:
            raise translation.from_exception(attempted, error) from error


def _next_query(page: Mapping[str, Any], key: str) -> list[tuple[str, str]] | None:
    """
    The query of the next page. Only the query: behind proxies, the host in the link is often wrong.
    """
    links: Iterator[str] = (
        link["href"]
        for link in page.get(f"{key}_links") or page.get("links") or []
        if isinstance(link, dict) and link.get("rel") == "next"
    )
    href = next(links, None) or page.get("next")
    return parse_qsl(urlsplit(href).query) if isinstance(href, str) else None


_EMBEDDED = frozenset({"fournines", "fournines-admin"})
"""Entries the embedded cloud writes; other clouds are a person's, where the SDK looks for them."""


def connect(settings: Settings, cloud: str | None = None) -> Connection:
    """
    A connection to the cloud named in the settings (or here). Nothing is sent yet.

    Raises:
        CredentialsRefused: There is no such entry in clouds.yaml, or it is incomplete.
    """
    name = cloud or settings.cloud
    attempted = f"reading the entry {name} of clouds.yaml"
    files = [str(path) for path in clouds_files(settings, name)]
    for path in files:
        _check_file(Path(path), attempted)
    try:
        config = OpenStackConfig(config_files=files or None)
        region = config.get_one(
            cloud=name,
            app_name="fournines",
            api_timeout=settings.request_timeout_seconds,
        )
        conceal(*_secrets(region.config.get("auth") or {}))
        sdk = openstack.connection.Connection(config=region)
        for adapter in cast("Any", sdk.session).session.adapters.values():
            adapter.init_poolmanager(SOCKET_POOLS, SOCKETS_MAX)
    except Exception as error:
        if name in _EMBEDDED and not files:
            raise CredentialsRefused(
                attempted,
                "the embedded cloud was not brought up here",
                "Run `fournines up`; or name your own cloud with FOURNINES_CLOUD",
            ) from error
        raise translation.from_exception(attempted, error) from error
    return Connection(sdk, settings.request_timeout_seconds)


def _secrets(auth: dict[str, Any]) -> list[str]:
    """
    What must not be said of an entry: whatever its name calls a password, a secret, a token or a passcode.
    """
    words = ("password", "secret", "token", "passcode")
    return [
        str(value)
        for name, value in auth.items()
        if value and any(word in name.lower() for word in words)
    ]


def _check_file(path: Path, attempted: str) -> None:
    """
    The SDK takes a file that is missing or no YAML for one without entries; we say what is wrong.
    """
    remedy = "Set FOURNINES_CLOUDS_FILE to your clouds.yaml, or unset it"
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise CredentialsRefused(
            attempted, f"{path} cannot be read: {error.strerror}", remedy
        ) from error
    except yaml.YAMLError as error:
        # The parser's own message quotes the file, which holds secrets.
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1})" if mark else ""
        raise CredentialsRefused(
            attempted, f"{path} is not valid YAML{place}", remedy
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("clouds"), dict):
        raise CredentialsRefused(attempted, f"{path} has no `clouds`", remedy)


def clouds_files(settings: Settings, cloud: str) -> list[Path]:
    """
    Where clouds.yaml is looked for: the one set, else for the embedded cloud this checkout's; empty: the SDK's search path.
    """
    if settings.clouds_file is not None:
        return [settings.clouds_file]
    checkout = settings.checkout / "clouds.yaml"
    return [checkout] if cloud in _EMBEDDED and checkout.exists() else []
