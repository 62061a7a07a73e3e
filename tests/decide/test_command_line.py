"""
What people do wrong on the command line is met with one sentence and the right exit status, and nothing is touched.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fournines.cli import app
from fournines.clock import SystemClock
from fournines.commands import frame
from fournines.model.desired import Platform, Service
from fournines.model.ownership import Owner
from fournines.model.specification import NetworkSpec
from fournines.settings import ROOT, settings
from fournines.store.sql import open_store
from tasks import opening, request

EXAMPLE = str(ROOT / "examples" / "shop.yaml")


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """
    Run the command line in an empty state directory, with a clouds.yaml that leads nowhere.
    """
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(
        "clouds:\n"
        "  fournines:\n"
        "    auth: {auth_url: 'http://127.0.0.1:9/v3', username: u, password: p,\n"
        "           project_name: p, user_domain_id: default, project_domain_id: default}\n"
    )
    monkeypatch.setenv("FOURNINES_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("FOURNINES_CLOUDS_FILE", str(clouds))
    monkeypatch.setenv("FOURNINES_SLOT", "49")
    monkeypatch.setenv("FOURNINES_RETRY_ATTEMPTS", "1")
    monkeypatch.chdir(tmp_path)

    def run(*words):
        settings.cache_clear()
        code = frame.run(app, list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run
    settings.cache_clear()


def a_file(text: str) -> str:
    """A platform file in the working directory."""
    Path("platform.yaml").write_text(text)
    return "platform.yaml"


def service(**parameters) -> str:
    """A platform with one web service."""
    listed = "".join(f"\n      {key}: {value}" for key, value in parameters.items())
    return (
        "platform: demo\nservices:\n  shop:\n    blueprint: web\n    parameters:"
        + listed
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "platform: demo\nservices: {shop: {blueprint: wbe}}\n",
            "did you mean 'web'",
            id="unknown-blueprint",
        ),
        pytest.param(service(count="many"), "parameters.count", id="wrong-type"),
        pytest.param(service(count=0), "parameters.count", id="out-of-range"),
        pytest.param(
            "platform: demo\nservices:\n"
            "  a: {blueprint: web, depends_on: [b]}\n"
            "  b: {blueprint: web, depends_on: [a]}\n",
            "a",
            id="cycle",
        ),
        pytest.param("platform: [", "not YAML", id="no-yaml"),
        pytest.param("", "must be a mapping", id="empty"),
    ],
)
def test_a_bad_platform_file_is_explained(command, text, said):
    """
    A bad platform file exits with 2 and names the file and what is wrong with it.
    """
    code, out, err = command("deploy", a_file(text))

    assert (code, out) == (2, "")
    assert said in err
    assert "platform.yaml" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "expected", "said"),
    [
        pytest.param(["plan", "none.yaml"], 2, "no such file", id="file-missing"),
        pytest.param(["plan", EXAMPLE], 4, "127.0.0.1:9", id="keystone-unreachable"),
        pytest.param(
            ["deploy", EXAMPLE, "--service", "shp"], 2, "did you mean 'shop'", id="shp"
        ),
        pytest.param(["scale", "shop", "3"], 2, "nothing is deployed", id="scale"),
        pytest.param(["destroy", "shop", "-y"], 2, "nothing is deployed", id="destroy"),
        pytest.param(["catalog", "wob"], 2, "did you mean 'web'", id="catalog"),
        pytest.param(["case", "case-0"], 2, "there is no case", id="no-case"),
        pytest.param(["logs"], 1, "fournines up", id="no-logs"),
        pytest.param(["frobnicate"], 2, "frobnicate", id="no-command"),
        pytest.param(["scale", "shop", "none"], 2, "count", id="no-number"),
    ],
)
def test_wrong_use_is_one_sentence(command, words, expected, said):
    """
    Wrong use has an exit status of its own and one sentence on standard error.
    """
    code, _out, err = command(*words)

    assert code == expected
    assert said in err
    assert "Traceback" not in err


def test_an_unknown_cloud_names_its_entry(command, monkeypatch):
    """
    A cloud that clouds.yaml does not have exits with 4 and says which entry is missing.
    """
    monkeypatch.setenv("FOURNINES_CLOUD", "elsewhere")

    code, _out, err = command("plan", EXAMPLE)

    assert code == 4
    assert "elsewhere" in err


def test_a_wrong_setting_names_its_variable(command, monkeypatch):
    """
    A setting out of its range is named as people set it.
    """
    monkeypatch.setenv("FOURNINES_PARALLEL_STEPS_MAX", "0")

    code, _out, err = command("cases")

    assert code == 2
    assert "FOURNINES_PARALLEL_STEPS_MAX" in err


def test_every_command_explains_itself(command):
    """
    The overview lists every command, and each has help of its own.
    """
    _code, out, _err = command("--help")
    listed = [
        line.split()[0] for line in out.partition("Commands:")[2].splitlines()[1:]
    ]

    assert {"deploy", "plan", "cases", "cloud"} <= set(filter(None, listed))
    for name in ("plan", "scale", "cloud", "healing", "break", "doctor"):
        code, out, _err = command(name, "--help")
        assert code == 0
        assert "Usage" in out


def test_the_switch_remembers_who_and_why(command):
    """
    Healing switched off stays off, for programs too, and says who did it and why.
    """
    assert command("healing", "off", "--why", "game day")[0] == 0

    code, out, _err = command("healing", "status", "--json")

    assert code == 0
    document = json.loads(out)
    assert document["healing"] is False
    assert "game day" in document["why"]


def test_a_pause_is_listed_until_it_is_lifted(command, tmp_path):
    """
    What is paused is named with who, until when and why; lifted it is gone.
    """
    service = Service(
        platform="demo", name="shop", blueprint="web", blueprint_version="1"
    )
    network = NetworkSpec(name="demo-network", owner=Owner(platform="demo"))
    store = open_store(f"sqlite:///{tmp_path}/state/store.db")
    store.registry.put_platform(
        Platform(name="demo", network=network, services=(service,)),
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    store.close()

    code, out, _err = command("pause", "shop", "--for", "2h", "--why", "disk swap")
    assert (code, "demo/shop is paused by" in out, "disk swap" in out) == (
        0,
        True,
        True,
    )
    assert json.loads(command("pause", "--json")[1])[0]["why"] == "disk swap"
    assert command("pause", "shop", "--for", "soon")[0] == 2
    assert command("pause", "shp")[0] == 2
    assert command("unpause", "shop")[0] == 0
    assert command("pause")[1] == "nothing is paused\n"
    code, _out, err = command("unpause", "shop")
    assert (code, "is not paused" in err) == (2, True)


def test_destroying_asks_first(command):
    """
    Without --yes and without an answer nothing is destroyed.
    """
    code, _out, err = command("destroy", EXAMPLE)

    assert code != 0
    assert "Destroy platform demo" in err


def test_status_without_a_cloud(command, monkeypatch):
    """
    A cloud that does not answer is told in a sentence, beside what is known without it.
    """
    compiled = request.read_platform(Path(EXAMPLE))
    command("status")
    with opening.store(settings()) as store:
        store.registry.put_platform(compiled, at=SystemClock().now())

    code, out, err = command("status")

    assert code == 0
    assert "demo/shop: 4 instances asked for" in out
    assert "healing is on" in out
    assert "the cloud was not read" in err
    assert "Traceback" not in out + err


def test_the_embedded_cloud_before_its_first_up(command, monkeypatch, tmp_path):
    """
    Without a clouds.yaml the way to one is named.
    """
    monkeypatch.delenv("FOURNINES_CLOUDS_FILE")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("FOURNINES_CHECKOUT", str(elsewhere))
    # The SDK looks into the folder it was imported in, too, and that is this checkout, which may have a cloud: the first file counts.
    empty = elsewhere / "nothing.yaml"
    empty.write_text("clouds: {}\n")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(empty))

    code, _out, err = command("deploy", EXAMPLE)

    assert code == frame.UNREACHABLE
    assert "fournines up" in err
