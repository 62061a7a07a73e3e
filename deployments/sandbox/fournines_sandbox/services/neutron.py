"""
Neutron's API; the mechanism driver within it renders the data path.
"""

from __future__ import annotations

import importlib
import os

from fournines_sandbox.services import serving


def main() -> None:
    """
    Serve Neutron.
    """
    site = serving.prepare("neutron")
    os.environ["OS_NEUTRON_CONFIG_DIR"] = str(site.etc)
    os.environ["OS_NEUTRON_CONFIG_FILES"] = "neutron.conf"
    # Importing the module reads the configuration, so it cannot happen earlier.
    api = importlib.import_module("neutron.wsgi.api")
    serving.serve(site, "neutron", api.application)


if __name__ == "__main__":
    serving.run(main)
