"""
The whole story on the embedded cloud, told in order: demonstration, dashboards, run button, destruction.

Each test stands on the one before it, as each scene does; a failed scene fails the rest.
"""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import stamina
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from dashboards import build
from fournines.local import supervision
from fournines.metrics.prometheus import Prometheus
from fournines.settings import Settings

pytestmark = pytest.mark.sandbox

ROOT = Path(__file__).resolve().parents[2]
FOURNINES = Path(sys.executable).parent / "fournines"
PLATFORM = ROOT / "examples" / "shop.yaml"
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_WORDS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KINDS = ["kill", "hang", "errors", "grey-errors", "grey-slow"]
DEMO_SECONDS_MAX = 900
BUTTON_SECONDS_MAX = 240


def fournines(*words, **environment):
    """Run the CLI as a person would; returns the finished process."""
    return subprocess.run(
        [FOURNINES, *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEMO_SECONDS_MAX,
    )


@pytest.fixture(scope="module")
def settings(cloud):
    """The settings of this checkout; its programs end with the story, the cloud goes on for other tests."""
    chosen = Settings()
    done = fournines("up")
    assert done.returncode == 0, done.stdout + done.stderr
    yield chosen
    fournines("destroy", str(PLATFORM), "--yes", "--plain")
    supervision.stop(chosen)


@pytest.fixture(scope="module")
def before(member):
    """Every resource of the project before the story."""
    return resources(member)


def resources(member):
    """What the project has, by kind and name."""
    found = [
        *member.compute.servers(),
        *member.compute.server_groups(),
        *member.load_balancer.load_balancers(),
        *member.network.ips(),
        *member.network.routers(),
        *member.network.networks(),
        *member.network.subnets(),
        *member.network.ports(),
        *member.network.security_groups(),
        *member.block_storage.volumes(),
    ]
    return {key(one) for one in found}


def key(resource):
    """A resource as one word for comparing and reading."""
    return f"{type(resource).__name__} {resource.name} {resource.id}"


def test_the_demonstration_recovers_from_every_fault(settings, before, tmp_path):
    """
    Five faults, five cases closed as recovered, an empty plan afterwards, and few requests lost.
    """
    file = tmp_path / "report.json"

    done = fournines("demo", DEMO_REPORT=str(file))

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    report = json.loads(file.read_text())
    assert [row["class"] for row in report["faults"]] == KINDS
    assert {row["verdict"] for row in report["faults"]} == {"recovered"}
    assert all(row["redundancy_restored_seconds"] for row in report["faults"])
    assert report["bad_requests"] < report["requests"] / 20


def test_every_dashboard_query_has_data(settings):
    """
    No panel stays empty once a service has been loaded, broken and healed.
    """
    metrics = Prometheus(settings.url("prometheus"), timeout_seconds=30)
    end = datetime.now(UTC)
    begin = end - timedelta(minutes=30)  # what a dashboard shows when it is opened

    empty = [
        (board, panel, query.expr)
        for board, panel, query in build.queries()
        if not metrics.over(
            query.resolved(platform="demo", service="shop"),
            start=begin,
            end=end,
            step_seconds=5,
        )
    ]

    assert empty == []


def test_an_unchanged_platform_gives_an_empty_plan(settings):
    """
    Planning again right after the demonstration finds nothing to do.
    """
    done = fournines("plan", str(PLATFORM), "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == []


def test_destroying_leaves_nothing_of_ours(settings, before, member):
    """
    After destroy, every resource type is as it was without us: nothing left, nothing else touched.
    """
    done = fournines("destroy", str(PLATFORM), "--yes")

    assert done.returncode == 0, done.stdout + done.stderr
    assert resources(member) == before


def test_the_run_button_deploys(settings, before, member, tmp_path):
    """
    Pressing run on deploy-platform in the Prefect UI, in a real browser, ends with users being served.
    """
    base = settings.url("prefect")
    answer = httpx.post(f"{base}/api/deployments/filter", json={}, trust_env=False)
    deployment = next(d for d in answer.json() if d["name"] == "deploy-platform")

    known = {one["id"] for one in runs(base, deployment["id"])}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=CHROMIUM_WORDS
        )
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        press_run(page, f"{base}/deployments/deployment/{deployment['id']}")
        run = await_run(base, deployment["id"], known)
        page.goto(f"{base}/runs/flow-run/{run['id']}")
        page.get_by_text("Completed").first.wait_for()
        page.screenshot(path=str(tmp_path / "run.png"), full_page=True)
        browser.close()

    assert run["state"]["type"] == "COMPLETED", run["state"]
    assert run["name"].startswith("deploy")
    (ip,) = [one for one in member.network.ips() if key(one) not in before]
    url = f"http://{ip.floating_ip_address}/"
    assert httpx.get(url, trust_env=False).status_code == httpx.codes.OK


def press_run(page, url):
    """
    Run, Quick run, and the server has taken it. As a person would, once more when nothing follows: a menu that is drawn anew swallows the press.
    """
    for attempt in stamina.retry_context(on=PlaywrightError, attempts=3, timeout=None):
        with attempt:
            page.goto(url)
            page.get_by_role("button", name="Run", exact=True).click()
            with page.expect_response(
                lambda answer: answer.url.endswith("/create_flow_run")
            ) as pressed:
                page.get_by_role("button", name="Quick run").click()
            assert pressed.value.ok, pressed.value.text()


def runs(base, deployment_id):
    """The runs of a deployment, newest first."""
    asked = {
        "deployments": {"id": {"any_": [deployment_id]}},
        "sort": "START_TIME_DESC",
    }
    return httpx.post(
        f"{base}/api/flow_runs/filter", json=asked, trust_env=False
    ).json()


def await_run(base, deployment_id, known):
    """The run of a deployment that was not known before, once it has ended."""
    ends = {"COMPLETED", "FAILED", "CRASHED"}
    deadline = time.monotonic() + BUTTON_SECONDS_MAX
    while time.monotonic() < deadline:
        for run in runs(base, deployment_id):
            if run["id"] not in known and run["state"]["type"] in ends:
                return run
        time.sleep(1)
    pytest.fail(f"no run of the deployment ended within {BUTTON_SECONDS_MAX} s")
