"""
The embedded OpenStack before OpenStack's own judge: a subset of Tempest.

Our drivers sit below real services; Tempest says whether what they make of requests is
still OpenStack. Which tests run stands in tempest/include.txt, which are left out and why
in tempest/exclude.txt.
"""

import os
import re
import subprocess
from pathlib import Path

import jinja2
import pytest
import yaml

pytestmark = [pytest.mark.sandbox, pytest.mark.full]

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "tempest"

PASSED_MIN = 100
"""Fewer means that tests were skipped which are meant to run."""

SECONDS_MAX = 1800
"""It takes four minutes on two idle cores; tests may run on a busy machine."""

WORKERS = 2

ROLES = ("load-balancer_global_observer", "load-balancer_quota_admin")
"""Roles of Octavia's that Tempest's users take on and nobody else here does."""


def tempest() -> Path:
    """
    Tempest's command, in a virtual environment of its own.
    """
    named = os.environ.get("FOURNINES_TEMPEST_VENV")
    home = Path(named) if named else ROOT / ".fournines" / "tempest-venv"
    return home / "bin" / "tempest"


def configuration(cloud, admin, workspace) -> str:
    """
    Tempest's configuration for this cloud, from what the cloud says of itself.
    """
    entry = yaml.safe_load(cloud.clouds_file.read_text())["clouds"]["fournines-admin"]
    flavors = {item.name: item.id for item in admin.compute.flavors()}
    extensions = sorted(item.alias for item in admin.network.extensions())
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    template = environment.from_string((HERE / "tempest.conf.j2").read_text())
    return template.render(
        workspace=workspace,
        admin=entry["auth"],
        region=entry["region_name"],
        image=admin.image.find_image("debian-12").id,
        network=admin.network.find_network("public").id,
        flavor=flavors["m1.tiny"],
        flavor_alt=flavors["m1.small"],
        extensions=",".join(extensions),
    )


def test_tempest(cloud, admin, tmp_path):
    """
    Compute, network, volume, image and load balancer tests of Tempest pass, none fails.
    """
    if not tempest().exists():
        pytest.skip(f"Tempest is not installed at {tempest()}; run: make test")
    known = {role.name for role in admin.identity.roles()}
    for role in set(ROLES) - known:
        admin.identity.create_role(name=role)
    workspace = tmp_path / "workspace"
    register = ["--workspace-path", tmp_path / "workspaces.yaml"]
    subprocess.run(
        [tempest(), "init", *register, workspace], check=True, capture_output=True
    )
    (workspace / "etc" / "tempest.conf").write_text(
        configuration(cloud, admin, workspace)
    )

    done = subprocess.run(
        [
            *(tempest(), "run", "--concurrency", str(WORKERS)),
            *("--include-list", HERE / "include.txt"),
            *("--exclude-list", HERE / "exclude.txt"),
        ],
        cwd=workspace,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )

    counts = dict(re.findall(r"^ - (\w[\w ]*): +(\d+)$", done.stdout, re.MULTILINE))
    failures = re.findall(r"^\{\d\} (\S+) .*FAILED$", done.stdout, re.MULTILINE)
    assert failures == [], done.stdout[-20000:]
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    assert int(counts["Passed"]) >= PASSED_MIN


def test_every_exclusion_has_a_reason():
    """
    Nothing is left out of Tempest's judgement without a word why.
    """
    lines = (HERE / "exclude.txt").read_text().splitlines()
    excluded = [line for line in lines if line and not line.startswith("#")]

    assert [line for line in excluded if not re.search(r"\S +# \w+", line)] == []
