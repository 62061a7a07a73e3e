"""
Placement's API.
"""

from __future__ import annotations

import importlib
import os

from fournines_sandbox.services import serving


def main() -> None:
    """
    Serve Placement.
    """
    site = serving.prepare("placement")
    os.environ["OS_PLACEMENT_CONFIG_DIR"] = str(site.etc)
    # Importing the module reads the configuration, so it cannot happen earlier.
    api = importlib.import_module("placement.wsgi.api")
    serving.serve(site, "placement", api.application)


if __name__ == "__main__":
    serving.run(main)
