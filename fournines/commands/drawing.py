"""
graph: what a service stands on, as a tree or as a picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import graphviz
import typer
from rich.markup import escape
from rich.tree import Tree

from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.model import service_graph
from fournines.model.service_graph import Node, NodeKind, ServiceGraph
from tasks import sizing

app = typer.Typer(rich_markup_mode=None)

_SHAPES = {
    NodeKind.SERVICE: "doubleoctagon",
    NodeKind.BALANCER: "invtrapezium",
    NodeKind.POOL: "folder",
    NodeKind.SLOT: "box",
    NodeKind.INSTANCE: "box",
    NodeKind.VOLUME: "cylinder",
    NodeKind.HOST: "box3d",
    NodeKind.ZONE: "house",
}
_ILL = ("missing", "no instance", "ERROR", "OFFLINE", "DOWN", "SHUTOFF")


@app.command()
def graph(
    service: Annotated[str, typer.Argument(help="A deployed service.")],
    *,
    platform: Annotated[str | None, typer.Option(help="If several.")] = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", help="Write a picture (needs graphviz).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """
    What a service stands on: load balancer, pool, instances, hosts, zones, volumes, other services.
    """
    with frame.workshop() as workshop:
        known = sizing.find(workshop.store.registry, service, platform)
        inventory = workshop.cloud.inventory(known.name)
    made = service_graph.of(known, service, inventory)
    if svg is not None:
        draw(made, svg)
        frame.say(f"{svg}: {len(made.nodes)} nodes, {len(made.edges)} edges")
    elif as_json:
        frame.say_json(made.model_dump(mode="json"))
    else:
        frame.out.print(tree(made))


def tree(made: ServiceGraph) -> Tree:
    """
    As text. A node that was shown above is named again and not opened.
    """
    root = made.node(made.root)
    shown: set[str] = set()
    top = Tree(_label(root))
    _grow(top, made, root, shown)
    return top


def dot(made: ServiceGraph) -> str:
    """
    As graphviz's own language.
    """
    drawing = graphviz.Digraph(
        made.root, node_attr={"fontname": "sans-serif"}, graph_attr={"rankdir": "TB"}
    )
    for node in made.nodes:
        ill = any(word in node.state for word in _ILL)
        drawing.node(
            _key(node.id),
            f"{node.name}\n{node.state or node.kind}",
            shape=_SHAPES[node.kind],
            color="red" if ill else "black",
        )
    for edge in made.edges:
        drawing.edge(_key(edge.above), _key(edge.below))
    return str(drawing.source)


def draw(made: ServiceGraph, file: Path) -> None:
    """
    As an SVG file.

    Raises:
        Stop: graphviz is not installed, or the file cannot be written.
    """
    try:
        picture = graphviz.Source(dot(made)).pipe(format="svg", encoding="utf-8")
        file.write_text(picture)
    except graphviz.ExecutableNotFound as error:
        raise frame.Stop(
            "graphviz is not installed: apt install graphviz, or leave out --svg"
        ) from error
    except OSError as error:
        raise frame.Stop(f"{file} cannot be written: {error.strerror}") from error


def _grow(branch: Tree, made: ServiceGraph, node: Node, shown: set[str]) -> None:
    if node.id in shown:
        return
    shown.add(node.id)
    for below in made.below(node.id):
        again = below.id in shown and made.below(below.id)
        twig = branch.add(_label(below) + (" (see above)" if again else ""))
        _grow(twig, made, below, shown)


def _label(node: Node) -> str:
    state = f": {node.state}" if node.state else ""
    return escape(f"{node.kind} {node.name}{state}")


def _key(number: str) -> str:
    """
    Colons and slashes mean something to graphviz.
    """
    return number.replace("/", "_").replace(" ", "_").replace(":", "_")
