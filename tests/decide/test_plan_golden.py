"""
What people read, word for word. `FOURNINES_GOLDEN=write` writes it anew.
"""

import os
from pathlib import Path

import pytest

from blueprints.compiling import compile_platform
from blueprints.diff import plan_platform
from blueprints.platform_file import load
from fournines.planning import table
from tests.decide.planned_world import CATALOGUE, EXAMPLE, World, with_groups

GOLDEN = Path(__file__).parents[1] / "golden"


def as_text(plan):
    """A plan as plain columns."""
    cells = [table.HEADER, *(row.cells() for row in table.rows(plan))]
    widths = [max(len(row[n]) for row in cells) for n in range(len(table.HEADER))]
    lines = [
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join([*lines, "", table.summary(plan)]) + "\n"


def example():
    """The example platform."""
    return compile_platform(load(EXAMPLE), CATALOGUE)


def first_deploy():
    """The example's first deploy."""
    return as_text(plan_platform(example(), World().inventory()))


def roll():
    """Its four instances get another image, two at a time."""
    world = World()
    world.perform(plan_platform(example(), world.inventory()))
    newer = with_groups(example(), image="debian-13", surge=2)
    return as_text(plan_platform(newer, world.inventory()))


def user_data():
    """What its instances boot with, the artefact shortened."""
    text = example().services[0].groups[0].user_data
    return "".join(
        "    content: (the sample application)\n" if len(line) > 1000 else line
        for line in text.splitlines(keepends=True)
    ).replace(_sum(text), "SUM")


def _sum(text):
    line = next(x for x in text.splitlines() if "/srv/app.tar.gz" in x and "echo" in x)
    return line.split('"')[1].split()[0]


@pytest.mark.parametrize("made", [first_deploy, roll, user_data])
def test_golden(made):
    """The committed text is what the code says."""
    file = GOLDEN / f"{made.__name__.replace('_', '-')}.txt"
    text = made()
    if os.environ.get("FOURNINES_GOLDEN") == "write":
        file.write_text(text)

    assert text == file.read_text()
