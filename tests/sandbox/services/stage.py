"""
A database service on the embedded cloud: deployed as people deploy it, spoken to as its applications speak.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fournines.model.cluster import ClusterView
from fournines.settings import Settings
from tasks import membership, opening
from tasks.operators.registered import access_of
from tasks.workshop import Workshop
from tests.sandbox.services.command import fournines
from tests.sandbox.services.writer import Writer

PLATFORM = "pgproof"
FILE = f"""\
platform: {PLATFORM}
defaults: {{image: debian-12, flavor: m1.medium, zones: [az1, az2, az3]}}
services:
  db:
    blueprint: postgres
    parameters: {{volume_size_gb: 1}}
"""


@dataclass(frozen=True, slots=True)
class Database:
    """
    The deployed service.
    """

    workshop: Workshop
    file: Path
    ca: Path

    def deploy(self) -> None:
        """
        Bring it to what the file asks for.
        """
        # Without redundancy only when a person insists.
        insisting = ("--force",) if "count: 1" in self.file.read_text() else ()
        fournines("deploy", str(self.file), *insisting)

    def view(self) -> ClusterView:
        """
        What it says of itself.
        """
        platform = self.workshop.store.registry.platform(PLATFORM)
        assert platform is not None
        inventory = self.workshop.cloud.inventory(PLATFORM)
        views = membership.views(self.workshop, platform, inventory)
        return views["db", "pg"]

    def status(self, instance: str) -> str:
        """
        The cloud's word for an instance; empty when it has none.
        """
        found = self.workshop.cloud.inventory(PLATFORM).instance(instance)
        return found.status if found else ""

    def primary(self) -> str:
        """
        The instance that takes the writes.
        """
        view = self.view()
        member = view.member(view.leader or "")
        assert member is not None, view.problems
        assert member.instance is not None
        return member.instance

    def dsn(self, port: int = 5432, name: str = "db") -> str:
        """
        How the application `app` connects, certificates verified.
        """
        service = self.workshop.store.registry.platform(PLATFORM).service(name)
        login, password = next(
            iter(access_of(self.workshop)(service).logins("app").items())
        )
        host = self.workshop.cloud.entrances(service.load_balancers[0].name)[0]
        return (
            f"host={host} port={port} user={login} password={password} dbname=app "
            f"sslmode=verify-full sslrootcert={self.ca} connect_timeout=3"
        )

    def writer(self) -> Writer:
        """
        One that writes from now on.
        """
        writer = Writer(self.dsn())
        writer.begin()
        return writer


@contextmanager
def database(folder: Path, text: str = FILE) -> Iterator[Database]:
    """
    A service, of three members unless the text says otherwise, deployed; destroyed at the end.
    """
    file, ca = folder / "platform.yaml", folder / "ca.pem"
    file.write_text(text)
    with opening.workshop(Settings()) as workshop:
        images = workshop.cloud.inventory(PLATFORM).images
        if not any(image.name.startswith("postgres") for image in images):
            fournines("bake", "postgres")
        made = Database(workshop, file, ca)
        try:
            made.deploy()
            service = workshop.store.registry.platform(PLATFORM).service("db")
            ca.write_text(access_of(workshop)(service).ca)
            yield made
        finally:
            fournines("destroy", str(file), "--yes", "--plain", code=None)
