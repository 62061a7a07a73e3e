"""
What Prometheus, Alertmanager and the blackbox exporter are started with: their own checkers accept it, and it says what it must.
"""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from alerts import configuration
from alerts.conventions import Alert
from alerts.generation import files, watchman

ROOT = Path(__file__).resolve().parents[2]


def addresses(tmp_path, **changes) -> configuration.Addresses:
    """
    Local addresses and a token file.
    """
    token = tmp_path / "token"
    token.write_text("correct horse")
    return configuration.Addresses(
        prometheus="127.0.0.1:20021",
        alertmanager="127.0.0.1:20022",
        blackbox="127.0.0.1:20023",
        healer="127.0.0.1:20024",
        token_file=token,
        **changes,
    )


@pytest.fixture
def written(tmp_path):
    """
    All files, written as `fournines up` writes them.
    """
    for name, text in configuration.render(addresses(tmp_path)).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["promtool", "check", "config", "prometheus.yml"], id="promtool"),
        pytest.param(["amtool", "check-config", "alertmanager.yml"], id="amtool"),
        pytest.param(
            [
                "prometheus-blackbox-exporter",
                "--config.check",
                "--config.file=blackbox.yml",
            ],
            id="blackbox",
        ),
    ],
)
def test_their_own_checkers_accept_it(written, command):
    """
    Debian's checkers find nothing wrong, rule files included.
    """
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")

    done = subprocess.run(
        command, cwd=written, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_token_is_in_no_configuration(tmp_path):
    """
    The token stays in its file; configurations and commands name the file only.
    """
    at = addresses(tmp_path)
    texts = [*configuration.render(at).values()]
    commands = [
        *configuration.prometheus_command(at, tmp_path, tmp_path),
        *configuration.alertmanager_command(at, tmp_path, tmp_path),
        *configuration.blackbox_command(at, tmp_path),
    ]

    assert not any("correct horse" in text for text in texts + commands)


def test_every_severity_has_its_way(tmp_path):
    """
    What heals goes to the healer at once and again within a second; pages go to people, by a webhook when there is one.
    """
    text = configuration.render(addresses(tmp_path, page_url="http://pager.test/x"))
    manager = yaml.safe_load(text["alertmanager.yml"])
    routes = {one["receiver"]: one for one in manager["route"]["routes"]}
    people = next(r for r in manager["receivers"] if r["name"] == "people")

    assert manager["route"]["receiver"] == "people"
    assert routes["heal"]["matchers"] == ['severity="heal"']
    assert (routes["heal"]["group_wait"], routes["heal"]["group_interval"]) == (
        "0s",
        "1s",
    )
    assert routes["watchdog"]["repeat_interval"] == "5s"
    assert people["webhook_configs"][0]["url"] == "http://pager.test/x"


def test_the_dead_man_gets_the_watchdog_too(tmp_path):
    """
    A second receiver outside, every minute, and the healer hears it all the same; without a URL there is none.
    """
    text = configuration.render(addresses(tmp_path, dead_man_url="http://out.test/k"))
    manager = yaml.safe_load(text["alertmanager.yml"])
    first, second = manager["route"]["routes"][:2]
    hook = next(r for r in manager["receivers"] if r["name"] == "dead-man")

    assert (first["receiver"], first["continue"]) == ("dead-man", True)
    assert (first["repeat_interval"], second["receiver"]) == ("1m", "watchdog")
    assert hook["webhook_configs"][0]["url"] == "http://out.test/k"
    assert (
        "dead-man" not in configuration.render(addresses(tmp_path))["alertmanager.yml"]
    )


@pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed")
def test_alertmanager_sends_each_alert_its_way(tmp_path):
    """
    By its own word: the Watchdog to both, what heals to the healer, all alerts on the healer to people.
    """
    text = configuration.render(addresses(tmp_path, dead_man_url="http://out.test/k"))
    file = tmp_path / "alertmanager.yml"
    file.write_text(text["alertmanager.yml"])

    def way(*labels):
        return subprocess.run(
            ["amtool", "config", "routes", "test", f"--config.file={file}", *labels],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    assert way("tier=alive", "severity=none") == "dead-man,watchdog"
    assert way("tier=cause", "severity=heal") == "heal"
    for rule in watchman.alerts():
        assert way(f"tier={rule.tier}", f"severity={rule.severity}") == "people"


def test_blackbox_listens_where_prometheus_asks(tmp_path):
    """
    Probes go through the exporter's address with the URL as target, and no label of ours is lost.
    """
    text = configuration.render(addresses(tmp_path))["prometheus.yml"]
    jobs = {one["job_name"]: one for one in yaml.safe_load(text)["scrape_configs"]}
    rewritten = {
        rule["target_label"]: rule["replacement"]
        for rule in jobs["probes"]["relabel_configs"]
    }

    assert rewritten["__address__"] == "127.0.0.1:20023"
    assert rewritten["__param_target"] == "$1"


ALERTS = [
    alert
    for groups in files.groups().values()
    for group in groups
    for alert in group.alerts
]


def test_every_alert_has_a_rule():
    """
    No name without a rule, and none twice for the same people: a lost sense pages, the workbench's is a ticket.
    """
    assert {rule.alert for rule in ALERTS} == set(Alert)
    assert len({(rule.alert, rule.severity) for rule in ALERTS}) == len(ALERTS)


@pytest.mark.parametrize(
    "rule", ALERTS, ids=lambda rule: f"{rule.alert}-{rule.severity}"
)
def test_every_alert_has_its_runbook(rule):
    """
    runbook_url leads to a page of this checkout that begins with the alert's name.
    """
    url = rule.plain("docs/runbooks")["annotations"]["runbook_url"]

    assert (ROOT / url).read_text().startswith(f"# {rule.alert}\n")


def test_every_runbook_has_its_alert():
    """
    No page of an alert that rings no more; `refusals` is healing's, `batch` a service's.
    """
    pages = {page.stem for page in (ROOT / "docs" / "runbooks").glob("*.md")}

    assert pages - {str(alert) for alert in Alert} <= {
        "batch",
        "diagnoses",
        "refusals",
        "README",
    }


def test_site_sets_its_own_runbooks(tmp_path):
    """
    The base of runbook_url follows the site.
    """
    text = configuration.render(addresses(tmp_path, runbooks="http://wiki.test/rb"))

    assert "runbook_url: http://wiki.test/rb/ProbeFail.md" in text["rules/fast.yml"]


def test_a_member_speaks_for_itself_alone(tmp_path):
    """
    No metric that our rules read of others can come from a member's page: 1,000 forged samples, none is kept.
    """
    text = configuration.render(addresses(tmp_path))["prometheus.yml"]
    jobs = {one["job_name"]: one for one in yaml.safe_load(text)["scrape_configs"]}
    members = jobs["members"]
    (drop,) = [
        r for r in members["metric_relabel_configs"] if r.get("action") == "drop"
    ]
    rules = "".join(files.texts().values())
    read = set(re.findall(r"\b[a-zA-Z_:][a-zA-Z0-9_:]*(?=[{\[ )])", rules))
    foreign = {
        name
        for name in read
        if re.match(r"(fournines|octavia|alertmanager|prometheus|probe)[_:]", name)
    }
    own = {name for name in read if name.startswith("http_request_duration_seconds_")}
    forged = list(itertools.islice(itertools.cycle(sorted(foreign)), 1_000))

    assert len(foreign) >= 30
    assert len(own) >= 3
    assert sum(re.fullmatch(drop["regex"], name) is None for name in forged) == 0
    assert [name for name in own if re.fullmatch(drop["regex"], name)] == []
    assert not members.get("honor_labels", False)
