"""
What a service stands on, as a value, as text, as a picture.
"""

import html
import io
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from fournines.commands import drawing
from fournines.model import service_graph
from fournines.model.service_graph import NodeKind
from tests.story.test_causes import two_services

GOLDEN = Path(__file__).parents[1] / "golden" / "graph.txt"


@pytest.fixture
def made(tmp_path):
    """
    The shop and the store below it, one instance of the shop gone.
    """
    # One after the other, so that the same instance comes to the same host each time.
    clinic = two_services(tmp_path, hands=1)
    clinic.cloud.vanish("demo-shop-web-3-g1")
    clinic.settle(5)
    inventory = clinic.cloud.inventory("demo")
    return service_graph.of(clinic.platform, "shop", inventory)


def test_the_tree_reads_from_users_down_to_the_ground(made):
    """
    The golden text: pool, instances with their states, hosts, zones; the missing one; the service below.
    """
    console = Console(width=100, file=io.StringIO())
    console.print(drawing.tree(made))
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]

    assert lines == GOLDEN.read_text().splitlines()


def test_each_thing_is_one_node(made):
    """
    What several stand on is there once, and every edge leads from node to node.
    """
    numbers = [node.id for node in made.nodes]

    assert len(numbers) == len(set(numbers))
    assert {e.above for e in made.edges} | {e.below for e in made.edges} <= set(numbers)
    assert [n.name for n in made.nodes if n.kind is NodeKind.ZONE] == [
        "az1",
        "az2",
        "az3",
    ]


def test_what_falls_with_a_zone(made):
    """
    Everything that stands on it, up to the service that users see.
    """
    falls = {node.name for node in made.falls_with("zone/az1")}

    assert {"demo-shop-web-0-g1", "demo-store-web-0-g1", "store", "shop"} <= falls
    assert "demo-shop-web-1-g1" not in falls


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_the_picture_shows_every_node(made, tmp_path):
    """
    The SVG holds each node's name, and the missing one in red.
    """
    file = tmp_path / "graph.svg"
    drawing.draw(made, file)
    picture = html.unescape(file.read_text())

    assert all(f">{node.name}<" in picture for node in made.nodes)
    assert picture.count('stroke="red"') >= 1


def test_circles_end(made, tmp_path):
    """
    Two services that depend on each other are drawn once each.
    """
    clinic = two_services(tmp_path / "circle")
    services = tuple(
        s.model_copy(update={"depends_on": ("shop",)}) if s.name == "store" else s
        for s in clinic.platform.services
    )
    platform = clinic.platform.model_copy(update={"services": services})
    found = service_graph.of(platform, "shop", clinic.cloud.inventory("demo"))

    assert [n.name for n in found.nodes if n.kind is NodeKind.SERVICE] == [
        "shop",
        "store",
    ]
