"""
What Prefect keeps of runs that fail with a secret in somebody's answer: nothing of it.
"""

import sqlite3
from pathlib import Path

import pytest
import yaml

from fournines import concealment
from fournines.settings import ROOT, settings
from tests.story import quoting

EXAMPLE = str(ROOT / "examples" / "shop.yaml")
CLOUD, STORE = "canary-of-the-cloud-7Qz9", "canary-of-the-store-7Qz9"

pytestmark = pytest.mark.prefect


@pytest.fixture(scope="module")
def database():
    """
    The file of a Prefect server of its own.
    """
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=240):
        url = PREFECT_API_DATABASE_CONNECTION_URL.value()
        yield Path(str(url).partition(":///")[2])


def everything_in(file):
    """
    Every value of every table.
    """
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as db:
        tables = db.execute("select name from sqlite_master where type='table'")
        return "\n".join(
            str(row)
            for (table,) in tables.fetchall()
            for row in db.execute(f'select * from "{table}"')
        )


def test_failed_runs_keep_no_secret(database, tmp_path, monkeypatch):
    """
    A deploy against a Keystone that quotes the password, and one with a store that cannot be reached: the runs' states say why, without them.
    """
    from flows.deploy import deploy_platform

    with quoting.keystone() as server:
        server.answer_with(401)
        auth = {
            "auth_url": f"http://127.0.0.1:{server.server_port}/v3",
            "username": "u",
            "password": CLOUD,
            "project_name": "p",
            "user_domain_id": "d",
            "project_domain_id": "d",
        }
        clouds = tmp_path / "clouds.yaml"
        clouds.write_text(yaml.safe_dump({"clouds": {"fournines": {"auth": auth}}}))
        monkeypatch.setenv("FOURNINES_STATE_DIR", str(tmp_path / "state"))
        monkeypatch.setenv("FOURNINES_SLOT", "49")
        monkeypatch.setenv("FOURNINES_RETRY_ATTEMPTS", "1")
        monkeypatch.setenv("FOURNINES_CLOUDS_FILE", str(clouds))
        settings.cache_clear()
        states = [deploy_platform(EXAMPLE, return_state=True)]
        url = f"postgresql://u:{STORE}@127.0.0.1:9/db"
        monkeypatch.setenv("FOURNINES_DATABASE_URL", url)
        settings.cache_clear()
        states.append(deploy_platform(EXAMPLE, return_state=True))
    settings.cache_clear()
    concealment.forget()

    kept = everything_in(database)
    assert [state.is_failed() for state in states] == [True, True]
    assert "encountered an exception" in kept
    assert "Traceback" in kept
    assert [canary for canary in (CLOUD, STORE) if canary in kept] == []
