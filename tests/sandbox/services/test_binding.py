"""
An application that uses a database and a bus, on the embedded cloud: it finds endpoints and credentials in its environment, and nobody is refused
while they are changed.
"""

from __future__ import annotations

import json
import logging
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pika
import pika.exceptions
import psycopg
import pytest
import yaml

from fournines.settings import Settings
from tasks import opening
from tasks.operators.registered import access_of
from tests.sandbox.services.command import fournines

# With the benches until it has passed as a whole: all but its last lines was seen.
pytestmark = [pytest.mark.sandbox, pytest.mark.bench]

PLATFORM = "proof-bound"
SERVING_SECONDS_MAX = 120

_log = logging.getLogger(__name__)

APPLICATION = """\
\"\"\"
Connects anew at each request and says who it is and whether it was let in; the instance's image has the database's client. For the bus: the AMQP
handshake up to connection.tune, which is the answer to credentials that are good.
\"\"\"
import http.server, json, os, psycopg2, socket, ssl, struct

ENV = os.environ

def database():
    with psycopg2.connect(ENV["DB_URL"], sslrootcert=ENV["DB_CA"], connect_timeout=3) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT session_user, current_user, current_database(), pg_is_in_recovery()")
            return cursor.fetchone()

def frame(line):
    kind, _, length = struct.unpack(">BHI", exactly(line, 7))
    return exactly(line, length + 1)

def exactly(line, length):
    data = b""
    while len(data) < length:
        more = line.recv(length - len(data))
        if not more:
            raise ConnectionError("hung up on")
        data += more
    return data

def bus():
    context = ssl.create_default_context(cafile=ENV["BUS_CA"])
    where = ENV["BUS_HOST"], int(ENV["BUS_PORT"])
    said = chr(0) + ENV["BUS_USER"] + chr(0) + ENV["BUS_PASSWORD"]
    with socket.create_connection(where, 3) as raw, context.wrap_socket(raw, server_hostname=where[0]) as line:
        line.sendall(b"AMQP" + bytes([0, 0, 9, 1]))
        frame(line)
        payload = struct.pack(">HHI", 10, 11, 0) + bytes([5]) + b"PLAIN" + struct.pack(">I", len(said)) + said.encode() + bytes([5]) + b"en_US"
        line.sendall(struct.pack(">BHI", 1, 0, len(payload)) + payload + bytes([206]))
        assert struct.unpack(">HH", frame(line)[:4]) == (10, 30), "not let in"
        return [ENV["BUS_USER"]]

ASKED = {"/db": database, "/bus": bus}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        code, said = 200, {"slot": ENV["SLOT"]}
        if self.path in ASKED:
            try:
                said["row"] = ASKED[self.path]()
            except Exception as error:
                code, said["error"] = 503, repr(error)
        body = json.dumps(said).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("", int(ENV["PORT"])), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def platform(cloud, member, tmp_path_factory):
    """
    A web service that uses a database and a bus of one member: it is the binding that is proved here.
    """
    for image in ("postgres", "rabbitmq"):
        if member.image.find_image(image) is None:
            fournines("bake", image)
    tmp_path = tmp_path_factory.mktemp("binding")
    folder = tmp_path / "application"
    folder.mkdir()
    (folder / "app.py").write_text(APPLICATION)
    services = {
        "shop": {
            "blueprint": "web",
            "uses": {"db": "orders", "bus": "events"},
            "parameters": {
                "artefact": "application",
                "image": "postgres",
                "flavor": "m1.small",
                "count": 2,
                "public": False,
                "metrics_path": None,
            },
        },
        "orders": {
            "blueprint": "postgres",
            "parameters": {"count": 1, "voters": 1, "volume_size_gb": 1},
        },
        "events": {"blueprint": "rabbitmq", "parameters": {"count": 1}},
    }
    file: Path = tmp_path / "platform.yaml"
    file.write_text(yaml.safe_dump({"platform": PLATFORM, "services": services}))
    try:
        fournines("deploy", str(file), "--plain", "--force")
        yield file
    finally:
        fournines("destroy", "--platform", PLATFORM, "--yes", "--plain", code=None)


@dataclass
class Knocking:
    """
    Has an application connect anew all the time, and keeps who was let in and what was refused. Its instances are rolled meanwhile: one that does not
    answer at all has asked nobody.
    """

    url: str
    let_in: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            said = told(self.url)
            if "row" in said:
                self.let_in[said["row"][0]] += 1
            elif "error" in said:
                self.refused.append(said["error"])
            time.sleep(0.05)


def told(url):
    """
    What the application says; nothing when it does not answer.
    """
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.loads(error.read() or b"{}") if error.code == 503 else {}
    except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError):
        return {}


def database_refuses(address, login, password):
    """
    Whether nobody is let into the database so.
    """
    try:
        psycopg.connect(
            host=address,
            user=login,
            password=password,
            dbname="app",
            sslmode="require",
            connect_timeout=5,
        ).close()
    except psycopg.OperationalError as error:
        # The pooler's word for a login that is locked.
        if "no such user" not in str(error):
            raise
        return True
    return False


def bus_refuses(address, login, password):
    """
    Whether nobody is let into the bus so.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    asked = pika.ConnectionParameters(
        address,
        5671,
        "main",
        credentials=pika.PlainCredentials(login, password),
        ssl_options=pika.SSLOptions(context, address),
    )
    try:
        pika.BlockingConnection(asked).close()
    except pika.exceptions.ProbableAuthenticationError:
        return True
    return False


@pytest.mark.parametrize(
    ("path", "service", "refuses"),
    [
        pytest.param("db", "orders", database_refuses, id="database"),
        pytest.param("bus", "events", bus_refuses, id="bus"),
    ],
)
def test_nobody_is_refused_while_credentials_are_changed(
    platform, eventually, path, service, refuses
):
    """
    The application connects anew all the time with what its instances have, before, while and after they are rolled. The former credentials are good
    until then, and refused afterwards.
    """
    with opening.workshop(Settings()) as workshop:
        known = workshop.store.registry.platform(PLATFORM)
        access = access_of(workshop)(known.service(service))
        ((login, password),) = access.logins("app").items()
        (shop,) = workshop.cloud.entrances(f"{PLATFORM}-shop-lb")[:1]
        (address,) = workshop.cloud.entrances(f"{PLATFORM}-{service}-lb")[:1]
        url = f"http://{shop}/{path}"
        assert eventually(lambda: "row" in told(url), SERVING_SECONDS_MAX)
        assert not refuses(address, login, password)
        before = slots(workshop)

        with Knocking(url) as knocking:
            time.sleep(5)
            said = fournines("rotate", service, "--platform", PLATFORM).stdout
            time.sleep(5)

        ((after, fresh),) = access.logins("app").items()
        _log.info(
            "%s: let in %s, refused %d",
            service,
            dict(knocking.let_in),
            len(knocking.refused),
        )
        assert knocking.refused == []
        assert set(knocking.let_in) == {login, after}
        # In turn: which comes first depends on what was rotated here before.
        assert {login, after} == {"app.a", "app.b"}
        assert password not in said
        assert fresh not in said
        assert refuses(address, login, password)
        assert not refuses(address, after, fresh)
        assert before.isdisjoint(slots(workshop))
        if path == "db":
            assert told(url)["row"] == [after, "app", "app", False]
    assert "Nothing to do" in fournines("plan", str(platform)).stdout


def slots(workshop):
    """
    The application's instances.
    """
    inventory = workshop.cloud.inventory(PLATFORM, "shop")
    return {instance.name for instance in inventory.instances}
