"""
The package depot: who wants which packages, what is said when one does not exist, and that builders get them.
"""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request

import pytest
import yaml

from fournines.local import cloud_command
from tasks import bakery

pytestmark = pytest.mark.sandbox

REFUSED = """
import json, sys
from pathlib import Path
from fournines_sandbox import depot
from fournines_sandbox.compute.command import CommandError
print(json.dumps({
    "wanted": depot.wanted(Path(sys.argv[1])),
    "said": [
        depot._refusal("db", CommandError(["apt-get"], 100, text))
        for text in (
            "E: Unable to locate package no-such\\n",
            "E: Package 'no-such' has no installation candidate\\n",
            "E: Failed to fetch it  Temporary failure\\nE: Unable to fetch some archives\\n",
        )
    ],
}))
"""


def told(folder):
    """
    What the depot's module says, in OpenStack's environment.
    """
    done = subprocess.run(
        [cloud_command.interpreter(), "-c", REFUSED, str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_an_image_wants_what_it_and_its_ancestors_name(tmp_path):
    """
    Packages of the parents are wanted too, each once; recipes that are each other's parents do not go round for ever.
    """
    for name, parent, packages in (
        ("base", "debian-12", ["openssl"]),
        ("db", "base", ["openssl", "redis"]),
        ("a", "b", ["x"]),
        ("b", "a", ["y"]),
    ):
        (tmp_path / name).mkdir()
        text = yaml.safe_dump({"image": name, "parent": parent, "packages": packages})
        (tmp_path / name / "recipe.yaml").write_text(text)

    assert told(tmp_path)["wanted"] == {
        "base": ["openssl"],
        "db": ["openssl", "redis"],
        "a": ["x", "y"],
        "b": ["x", "y"],
    }


def test_a_package_that_does_not_exist_is_one_sentence():
    """
    It names the recipe's file, the field and the package; other trouble is apt's own last word.
    """
    unknown, no_candidate, other = told(bakery.FOLDER)["said"]

    for sentence in (unknown, no_candidate):
        assert "db/recipe.yaml: packages: no-such is in none of" in sentence
    assert other.endswith("cannot be downloaded: Unable to fetch some archives")


def test_instances_get_what_recipes_name_and_nothing_else(cloud):
    """
    Every package that a recipe names is offered on the cloud's own network; directories are not shown.
    """
    root = f"http://{cloud.gateway}:{20_009 + 100 * cloud.slot}"
    with urllib.request.urlopen(f"{root}/Packages", timeout=30) as answer:
        index = answer.read().decode()
    offered = {
        line.removeprefix("Package: ")
        for line in index.splitlines()
        if line.startswith("Package: ")
    }
    named = {p for packages in told(bakery.FOLDER)["wanted"].values() for p in packages}
    # What the base image has already need not be downloaded.
    assert named - offered <= {"ca-certificates", "curl", "openssl", "python3"}
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{root}/", timeout=30)
