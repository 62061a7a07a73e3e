"""
What a builder says is understood among what others say, and what was lost is never taken for whole.
"""

import base64
import gzip

import pytest

from blueprints import builder_data, console_marks
from blueprints.recipe import Check, Recipe

NONCE = "abc123"
LIST = "openssl 3.0\nlibc6:amd64 2.36\n"


def spoken(*marks, nonce=NONCE):
    """
    Marks on a console on which others speak, too.
    """
    lines = [f"[ 12.3] kernel: something\n\n@@fournines {nonce} {m}\r" for m in marks]
    return "\n".join(["[  OK  ] Started ssh", *lines, "[ 99.9] eth0: up"])


def parts(text, size=8):
    """
    A long text in pieces.
    """
    packed = base64.b64encode(gzip.compress(text.encode())).decode()
    pieces = [packed[i : i + size] for i in range(0, len(packed), size)]
    return [f"part packages {n}/{len(pieces)} {p}" for n, p in enumerate(pieces, 1)]


def test_a_bake_is_followed_to_its_end():
    """
    Steps in order, each once, the package list whole, and the words that end it.
    """
    console = spoken("begin packages", "begin tests", *parts(LIST), "built", "sealed")
    heard = console_marks.heard(console, NONCE)

    assert heard.begun == ("packages", "tests")
    assert heard.said == {"built", "sealed"}
    assert not heard.failed
    assert console_marks.packages(heard.texts["packages"]) == {
        "openssl": "3.0",
        "libc6": "2.36",
    }


def test_another_bakes_marks_are_not_ours():
    """
    What an earlier builder said, or a recipe prints by accident, means nothing without the nonce.
    """
    heard = console_marks.heard(spoken("sealed", nonce="other"), NONCE)

    assert heard == console_marks.Heard()


@pytest.mark.parametrize(
    "marks",
    [
        pytest.param(parts(LIST)[:-1], id="the-end-is-lost"),
        pytest.param(parts(LIST)[1:], id="the-beginning-is-lost"),
        pytest.param([m.replace("H4", "XX") for m in parts(LIST)], id="mangled"),
        pytest.param(["part packages 1/1 not base64!"], id="mixed-with-others"),
    ],
)
def test_a_text_with_a_hole_is_no_text(marks):
    """
    A long text counts when every piece is there and unpacks.
    """
    assert console_marks.heard(spoken(*marks), NONCE).texts == {}


def test_the_first_failure_is_the_one():
    """
    What failed is named; what fails because of it is not.
    """
    heard = console_marks.heard(spoken("failed test: a", "failed sealing"), NONCE)

    assert heard.failed == "test: a"


def test_user_data_holds_the_recipe_and_nothing_runs_before_it():
    """
    Packages, checks with their names, files and the package source travel as files; one script is run.
    """
    recipe = Recipe(
        image="db",
        summary="x",
        parent="base",
        packages=("redis-server",),
        files=({"path": "/etc/x", "content": "it's: {odd}\n"},),
        tests=(Check(name="it's good", run="true"),),
    )
    text = builder_data.builder(recipe, nonce=NONCE, image="db-1", source="deb x ./")
    document = builder_data.yaml.safe_load(text)
    files = {one["path"]: one["content"] for one in document["write_files"]}

    assert text.startswith("#cloud-config\n")
    assert document["runcmd"] == [["sh", f"{builder_data.HERE}/build.sh"]]
    assert files[f"{builder_data.HERE}/packages"] == "redis-server\n"
    assert files[f"{builder_data.HERE}/source"] == "deb x ./\n"
    assert files[f"{builder_data.HERE}/tests/00"] == "# it's good\ntrue\n"
    assert files["/etc/x"] == "it's: {odd}\n"
