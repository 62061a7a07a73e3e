"""
Prefect's automations are made once and kept current by name.
"""

from __future__ import annotations

import json

import httpx
import pytest
import respx
import yaml

from fournines.local import automations

URL = "http://prefect.test"
API = f"{URL}/api/automations"


@pytest.fixture
def prefect():
    """
    A Prefect server of canned answers.
    """
    with respx.mock(base_url=API) as mock:
        yield mock


def there(prefect, *ids):
    """
    Automations of our name that the server has.
    """
    prefect.post("/filter").respond(json=[{"id": one} for one in ids])


def test_what_is_missing_is_made(prefect):
    """
    The first `up` makes it, as the file has it.
    """
    there(prefect)
    made = prefect.post("/").respond(201, json={})

    automations.apply(URL)

    (wanted,) = yaml.safe_load(automations.FILE.read_text())["automations"]
    assert json.loads(made.calls.last.request.content) == wanted


def test_what_is_there_is_brought_up_to_date_and_twins_go(prefect):
    """
    The next `up` changes it in place; a second one of that name is deleted.
    """
    there(prefect, "one", "two")
    changed = prefect.put("/one").respond(204)
    gone = prefect.delete("/two").respond(204)

    automations.apply(URL)

    assert changed.call_count == gone.call_count == 1


def test_a_refusal_is_told(prefect):
    """
    What Prefect does not want is said in a sentence.
    """
    there(prefect)
    prefect.post("/").respond(422, json={"detail": "no"})

    with pytest.raises(automations.AutomationsRefused, match=r"automations\.yaml.*422"):
        automations.apply(URL)


def test_silence_is_told(prefect):
    """
    So is a server that is not there.
    """
    prefect.post("/filter").mock(side_effect=httpx.ConnectError("refused"))

    with pytest.raises(automations.AutomationsRefused, match="refused"):
        automations.apply(URL)


def test_every_end_of_a_run_is_a_sign_of_life():
    """
    A run that ended, or waits for a person's word, is not taken for dead two minutes later.
    """
    (wanted,) = yaml.safe_load(automations.FILE.read_text())["automations"]
    expected = {name.rpartition(".")[2] for name in wanted["trigger"]["expect"]}

    assert {"Completed", "Refused", "Failed", "Cancelled", "Crashed"} <= expected
    assert {"Paused", "Suspended", "heartbeat"} <= expected
