"""
An application that uses a database, on the embedded cloud: it finds endpoint and credentials in its environment, and still does after they were
changed.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

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

APPLICATION = '''\
"""Says whom the database takes it for; the instance's image has the client."""
import http.server, json, os, psycopg2

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        code, said = 200, {"slot": os.environ["SLOT"]}
        if self.path == "/db":
            try:
                with psycopg2.connect(os.environ["DB_URL"], sslrootcert=os.environ["DB_CA"], connect_timeout=3) as connection:
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT current_user, current_database(), pg_is_in_recovery()")
                        said["row"] = cursor.fetchone()
            except Exception as error:
                code, said["error"] = 503, str(error)
        body = json.dumps(said).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
'''


@pytest.fixture
def platform(cloud, member, tmp_path):
    """
    A web service that uses a database of one member: it is the binding that is proved here.
    """
    if member.image.find_image("postgres") is None:
        fournines("bake", "postgres")
    folder = tmp_path / "application"
    folder.mkdir()
    (folder / "app.py").write_text(APPLICATION)
    services = {
        "shop": {
            "blueprint": "web",
            "uses": {"db": "orders"},
            "parameters": {
                "artefact": "application",
                "image": "postgres",
                "flavor": "m1.small",
                "count": 1,
                "public": False,
                "metrics_path": None,
            },
        },
        "orders": {
            "blueprint": "postgres",
            "parameters": {"count": 1, "voters": 1, "volume_size_gb": 1},
        },
    }
    file: Path = tmp_path / "platform.yaml"
    file.write_text(yaml.safe_dump({"platform": PLATFORM, "services": services}))
    try:
        fournines("deploy", str(file), "--plain", "--force")
        yield file
    finally:
        fournines("destroy", "--platform", PLATFORM, "--yes", "--plain", code=None)


def test_a_bound_application_reaches_its_database(platform, eventually):
    """
    The application begins once the database holds its user, speaks to the primary as that user over verified TLS, and does so again after the
    credentials were changed in the running server, which refuses the old ones.
    """
    with opening.workshop(Settings()) as workshop:
        known = workshop.store.registry.platform(PLATFORM)
        access = access_of(workshop)(known.service("orders"))
        before = access.secret("user-app")
        (shop,) = workshop.cloud.entrances(f"{PLATFORM}-shop-lb")[:1]
        (orders,) = workshop.cloud.entrances(f"{PLATFORM}-orders-lb")[:1]

        def row():
            try:
                with urllib.request.urlopen(f"http://{shop}/db", timeout=5) as answer:
                    return json.load(answer).get("row")
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                return None

        expected = ["app", "app", False]
        assert eventually(lambda: row() == expected, SERVING_SECONDS_MAX)

        told = fournines("rotate", "orders", "--platform", PLATFORM).stdout
        assert access.secret("user-app") != before
        assert before not in told
        assert eventually(lambda: row() == expected, SERVING_SECONDS_MAX)
        instances = workshop.cloud.inventory(PLATFORM, "shop").instances
        assert [instance.name for instance in instances] == [
            f"{PLATFORM}-shop-web-0-g2"
        ]
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(
                host=orders,
                user="app",
                password=before,
                dbname="app",
                sslmode="require",
            )
    assert "Nothing to do" in fournines("plan", str(platform)).stdout
