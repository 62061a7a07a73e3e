"""
What the load balancers' PROMETHEUS listeners answer with; apart from Octavia, so that it survives its restarts.
"""

from __future__ import annotations

import asyncio

from fournines_sandbox.loadbalancer.exporter import Exporter
from fournines_sandbox.site import Site


def main() -> None:
    """
    Serve until killed.
    """
    site = Site.from_environment()
    asyncio.run(Exporter(site).run())


if __name__ == "__main__":
    main()
