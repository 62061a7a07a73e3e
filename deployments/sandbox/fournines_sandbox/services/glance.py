"""
Glance's API.
"""

from __future__ import annotations

import importlib
import os

from fournines_sandbox.services import serving


def main() -> None:
    """
    Serve Glance.
    """
    site = serving.prepare("glance")
    os.environ["OS_GLANCE_CONFIG_DIR"] = str(site.etc)
    # Importing the module reads the configuration, so it cannot happen earlier.
    api = importlib.import_module("glance.wsgi.api")
    serving.serve(site, "glance", api.application)


if __name__ == "__main__":
    serving.run(main)
