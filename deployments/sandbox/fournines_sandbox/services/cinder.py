"""
Cinder: API, scheduler, volume and backup in one process, over a message bus in memory.
"""

from __future__ import annotations

import importlib
import shlex
import threading
import time
from typing import Any

from fournines_sandbox.services import serving

_WORKING_SECONDS_MAX = 30


def main() -> None:
    """
    Serve Cinder.
    """
    site = serving.prepare("cinder")
    serving.prepare("cinder", "--config-file", str(site.etc / "cinder.conf"))
    importlib.import_module("cinder.monkey_patch").patch(backend="threading")
    application = importlib.import_module("cinder.wsgi.wsgi")
    for command in ("scheduler", "volume", "backup"):  # they register their options
        importlib.import_module(f"cinder.cmd.{command}")
    wsgi = application.initialize_application()
    _own_privileges()
    threading.Thread(target=_start_services, daemon=True).start()
    serving.serve(site, "cinder", wsgi)


def _own_privileges() -> None:
    """
    The process is root already: privileged calls run here, not in a daemon started by sudo.
    """
    os_brick = importlib.import_module("os_brick")
    privileged = importlib.import_module("os_brick.privileged")
    privsep = importlib.import_module("cinder.privsep")
    utils = importlib.import_module("cinder.utils")
    conf = importlib.import_module("oslo_config.cfg").CONF
    context = importlib.import_module("oslo_privsep.priv_context")
    context.init(root_helper=shlex.split(utils.get_root_helper()))
    os_brick.setup(conf)
    for entry in (privsep.sys_admin_pctxt, privileged.default):
        entry.set_client_mode(False)


def _one_of_many() -> Any:
    """
    Cinder's Service for a process with several: upstream keeps the id on the class.
    """
    service = importlib.import_module("cinder.service")
    lock = threading.Lock()

    class OneOfMany(service.Service):  # type: ignore[misc, name-defined]
        def report_state(self) -> None:
            with lock:
                service.Service.service_id = self.origin_service_id
                super().report_state()

    return OneOfMany


def _start_services() -> None:
    conf = importlib.import_module("oslo_config.cfg").CONF
    constants = importlib.import_module("cinder.common.constants")
    volume = importlib.import_module("cinder.cmd.volume")
    service = _one_of_many()
    # The scheduler first: it must hear what the others can.
    service.create(binary=constants.SCHEDULER_BINARY).start()
    conf.register_opt(volume.host_opt, group="local")
    backend = service.create(
        host=f"{conf.host}@local",
        service_name="local",
        binary=constants.VOLUME_BINARY,
        coordination=False,
    )
    backend.start()
    backup = service.create(binary=constants.BACKUP_BINARY, coordination=False)
    backup.start()
    _announce(backup)


def _announce(backup: Any) -> None:
    """Tell the scheduler of the backup service now; it would hear of it only at the next period."""
    context = importlib.import_module("cinder.context")
    deadline = time.monotonic() + _WORKING_SECONDS_MAX
    while not backup.manager.is_working() and time.monotonic() < deadline:
        time.sleep(0.1)
    backup.manager.publish_service_capabilities(context.get_admin_context())


if __name__ == "__main__":
    serving.run(main)
