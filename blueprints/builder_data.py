"""
The user-data of a builder and of the instance that proves an image. Pure.

Nobody logs in: cloud-init writes the recipe's parts as files and runs one script, which says on the console what it does and how it ended.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from blueprints.recipe import Check, Recipe

HERE = "/run/fournines-bake"
"""In the guest; gone with its memory."""

_SCRIPTS = Path(__file__).parent / "builder"
# As the base image has it by itself; cloud images do not.
_QUIET = {"locale": False, "ssh_genkeytypes": [], "ssh_deletekeys": False}


def builder(recipe: Recipe, *, nonce: str, image: str, source: str) -> str:
    """
    User-data of the builder.

    Args:
        recipe: What is made.
        nonce: Tells this bake's marks from another's.
        image: The name of the image in the making.
        source: A line for apt in place of the image's own sources; empty: its own.
    """
    files = {
        "nonce": f"{nonce}\n",
        "source": f"{source}\n" if source else "",
        "packages": _lines(recipe.packages),
        "keep": _lines(recipe.keep),
        "remove": _lines(recipe.remove),
        "image": f"{image}\n",
        **_numbered("commands", recipe.commands),
        **_checks("tests", recipe.tests),
        "marks.sh": script("marks.sh"),
        "seal.sh": script("seal.sh"),
        "build.sh": script("build.sh"),
    }
    entries = [
        {"path": file.path, "content": file.content, "permissions": file.permissions}
        for file in recipe.files
    ]
    return cloud_config(files, entries, "build.sh")


def smoke(recipe: Recipe, *, nonce: str) -> str:
    """
    User-data of an instance made from the image.
    """
    files = {
        "nonce": f"{nonce}\n",
        **_checks("tests", recipe.smoke),
        "marks.sh": script("marks.sh"),
        "smoke.sh": script("smoke.sh"),
    }
    return cloud_config(files, [], "smoke.sh")


def cloud_config(
    files: dict[str, str], entries: list[dict[str, str]], begin: str
) -> str:
    """
    Files in our folder, further ones, and the script of ours to begin with.
    """
    written = [
        {"path": f"{HERE}/{name}", "content": content, "permissions": "0600"}
        for name, content in files.items()
    ]
    document: dict[str, Any] = {
        **_QUIET,
        "write_files": [*written, *entries],
        "runcmd": [["sh", f"{HERE}/{begin}"]],
    }
    text: str = yaml.safe_dump(document, sort_keys=False, width=1_000)
    return f"#cloud-config\n{text}"


def _lines(words: tuple[str, ...]) -> str:
    return "".join(f"{word}\n" for word in words)


def _numbered(folder: str, scripts: tuple[str, ...]) -> dict[str, str]:
    return {
        f"{folder}/{number:02d}": f"{text}\n" for number, text in enumerate(scripts)
    }


def _checks(folder: str, checks: tuple[Check, ...]) -> dict[str, str]:
    """
    The name of each stands in its first line.
    """
    return _numbered(folder, tuple(f"# {check.name}\n{check.run}" for check in checks))


def script(name: str) -> str:
    """
    What all builders share.
    """
    return (_SCRIPTS / name).read_text()
