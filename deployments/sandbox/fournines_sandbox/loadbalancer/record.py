"""
Octavia's record of load balancers: its database to read, the driver library to write.

Octavia's own workers read the database too; statuses go the way the provider interface prescribes.
"""

from __future__ import annotations

import threading
from typing import Any

from octavia.common import constants
from octavia.db import api as database
from octavia.db import models, repositories
from octavia_lib.api.drivers import driver_lib, exceptions

from fournines_sandbox.loadbalancer.settlement import Statuses
from fournines_sandbox.site import Site

PROVIDER = "fournines"


class RecordError(Exception):
    """
    Octavia did not take a status.
    """


class Record:
    """
    One cloud's record; may be used from any thread.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._load_balancers = repositories.LoadBalancerRepository()
        self._local = threading.local()

    def statuses(self) -> dict[str, str]:
        """
        Provisioning status of every load balancer of this provider, by id.
        """
        columns = (models.LoadBalancer.id, models.LoadBalancer.provisioning_status)
        session = database.get_session()
        with session.begin():
            rows = session.query(*columns).filter(
                models.LoadBalancer.provider == PROVIDER,
                models.LoadBalancer.provisioning_status != constants.DELETED,
            )
            return {row.id: row.provisioning_status for row in rows}

    def status(self, identifier: str) -> str | None:
        """
        Provisioning status of one load balancer, None when it is not there.
        """
        session = database.get_session()
        with session.begin():
            row = (
                session.query(models.LoadBalancer.provisioning_status)
                .filter(models.LoadBalancer.id == identifier)
                .first()
            )
        return row[0] if row else None

    def load(self, identifier: str) -> Any | None:
        """
        A load balancer with its whole tree, as Octavia's data model; None when it is not there.
        """
        session = database.get_session()
        with session.begin():
            return self._load_balancers.get(session, id=identifier, show_deleted=False)

    def report(self, statuses: Statuses) -> None:
        """
        Report new statuses.

        Raises:
            RecordError: Octavia did not take them; they may be reported again.
        """
        try:
            self._library().update_loadbalancer_status({**statuses})
        except (exceptions.UpdateStatusError, exceptions.DriverAgentNotFound, OSError) as error:
            raise RecordError(f"Octavia does not take statuses: {error}") from error
        except exceptions.DriverAgentTimeout as error:
            raise RecordError("Octavia takes too long over statuses") from error

    def count(self, counters: dict[str, dict[str, int]]) -> None:
        """
        Report listeners' traffic statistics.

        Raises:
            RecordError: Octavia did not take them.
        """
        listeners = [{"id": identifier, **values} for identifier, values in counters.items()]
        try:
            self._library().update_listener_statistics({"listeners": listeners})
        except (exceptions.UpdateStatisticsError, exceptions.DriverAgentNotFound, OSError) as error:
            raise RecordError(f"Octavia does not take statistics: {error}") from error

    def _library(self) -> driver_lib.DriverLibrary:
        if not hasattr(self._local, "library"):
            run = self._site.run
            self._local.library = driver_lib.DriverLibrary(
                status_socket=str(run / "octavia-status.sock"),
                stats_socket=str(run / "octavia-stats.sock"),
                get_socket=str(run / "octavia-get.sock"),
            )
        return self._local.library
