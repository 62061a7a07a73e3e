"""
Swift: proxy, account, container and object server in one process, which is as small as they get.

They are the servers themselves, each on its own socket, in green threads of one event loop; it is the arrangement in which Swift's own
functional tests run. The proxy listens on loopback and, for instances, on the host's address in the external network: there also with TLS,
because S3 clients insist on it.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import eventlet

eventlet.monkey_patch()

# Only now: everything below must see the patched modules.
from eventlet import wsgi  # noqa: E402
from swift.common import constraints, storage_policy, utils  # noqa: E402
from swift.common.http_protocol import SwiftHttpProtocol  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import loadapp  # noqa: E402

from fournines_sandbox import certificate  # noqa: E402
from fournines_sandbox.configuration import swift as configuration  # noqa: E402
from fournines_sandbox.services import serving  # noqa: E402
from fournines_sandbox.site import Site  # noqa: E402

_GREEN_THREADS = 256
_BACKLOG = 128
_RING_PARTITIONS_POWER = 4
_CLIENT_SECONDS = 60


def main() -> None:
    """
    Serve until killed.
    """
    site = Site.from_environment()
    utils.set_swift_dir(str(site.etc))
    utils.validate_hash_conf()
    storage_policy.reload_storage_policies()
    constraints.reload_constraints()
    _rings(site)
    (site.state / "swift" / configuration.DEVICE).mkdir(parents=True, exist_ok=True)
    for kind in configuration.BACKENDS:
        application = _application(site, configuration.backend_file(kind))
        _listen(application, "127.0.0.1", site.backend_port(kind))
    serving.wait_for_catalogue(site)
    proxy = _application(site, configuration.FILE)
    inside, outside = "127.0.0.1", str(site.external_network[1])
    tls = certificate.ensure(site.state / certificate.FOLDER, outside)
    servers = [
        _listen(proxy, inside, site.port("swift")),
        _listen(proxy, outside, site.port("swift")),
        _listen(proxy, outside, site.tls_port("swift"), tls),
    ]
    print(f"swift serves on port {site.port('swift')}", flush=True)
    for server in servers:
        server.wait()


def _application(site: Site, file: str) -> Any:
    return loadapp(str(site.etc / file), global_conf={"log_name": file.removesuffix(".conf")})


def _listen(
    application: Any, address: str, port: int, tls: certificate.Files | None = None
) -> eventlet.greenthread.GreenThread:
    listener = eventlet.listen((address, port), backlog=_BACKLOG)
    if tls is not None:
        listener = eventlet.wrap_ssl(
            listener, certfile=str(tls.certificate), keyfile=str(tls.key), server_side=True
        )
    return eventlet.spawn(
        wsgi.server,
        listener,
        application,
        logging.getLogger("swift.access"),
        custom_pool=eventlet.GreenPool(_GREEN_THREADS),
        protocol=SwiftHttpProtocol,
        socket_timeout=_CLIENT_SECONDS,
        # S3 clients look for "ETag", and eventlet would write "Etag".
        capitalize_response_headers=False,
        log_output=False,
    )


def _rings(site: Site) -> None:
    for kind in configuration.BACKENDS:
        path = site.etc / f"{kind}.ring.gz"
        _ring(path, site.backend_port(kind))


def _ring(path: Path, port: int) -> None:
    """A ring of one device; written anew at each start, because the port follows from the slot."""
    builder = RingBuilder(_RING_PARTITIONS_POWER, 1, 0)
    builder.add_dev(
        {
            "id": 0,
            "region": 1,
            "zone": 1,
            "weight": 1.0,
            "ip": "127.0.0.1",
            "port": port,
            "device": configuration.DEVICE,
        }
    )
    builder.rebalance()
    partial = path.with_suffix(".part")
    builder.get_ring().save(str(partial))
    partial.rename(path)


if __name__ == "__main__":
    os.umask(0o077)
    sys.argv = ["swift"]
    serving.run(main)
