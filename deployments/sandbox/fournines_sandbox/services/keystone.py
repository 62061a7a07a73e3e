"""
Keystone's API.
"""

from __future__ import annotations

import importlib
import os

from fournines_sandbox.services import serving


def main() -> None:
    """
    Serve Keystone.
    """
    site = serving.prepare("keystone")
    os.environ["OS_KEYSTONE_CONFIG_DIR"] = str(site.etc)
    # Importing the module reads the configuration, so it cannot happen earlier.
    api = importlib.import_module("keystone.wsgi.api")
    serving.serve(site, "keystone", api.application)


if __name__ == "__main__":
    serving.run(main)
