"""
Dashboards: what they ask exists in our conventions, and what is committed is what is generated.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from alerts import conventions, generation
from dashboards import build
from tasks.transactions.registered import TRANSACTIONS

ROOT = Path(__file__).resolve().parents[2]

ASKED = [
    asked
    for blueprint in (None, "postgres", "rabbitmq", "cache")
    for asked in build.queries(blueprint)
]
QUERIES = [
    pytest.param(query.resolved(platform="demo", service="shop"), id=f"{board}-{panel}")
    for board, panel, query in ASKED
]


def test_each_stateful_template_has_a_board():
    """
    Whoever is tried by our own transactions, and batch, has a board of its own, and no board is for nobody.
    """
    kinds = {board.blueprint for board in build.boards()} - {None}

    assert kinds == {*TRANSACTIONS, "batch"}


@pytest.mark.parametrize("path", [*build.generate(ROOT), *generation.generate(ROOT)])
def test_committed_files_are_current(path):
    """
    `make gen` would change nothing.
    """
    expected = (build.generate(ROOT) | generation.generate(ROOT))[path]

    assert path.read_text() == expected, "run `make gen`"


@pytest.mark.parametrize("board", build.boards(), ids=lambda board: board.uid)
def test_every_panel_says_what_it_shows(board):
    """
    Each panel has a title and a description, and a board's panels have different titles within a row.
    """
    for row in board.rows:
        titles = [panel.title for panel in row.panels]
        assert len(titles) == len(set(titles))
        assert all(panel.description for panel in row.panels)


@pytest.mark.parametrize("board", build.boards(), ids=lambda board: board.uid)
def test_variables_used_are_declared(board):
    """
    A query uses no variable that its board does not offer.
    """
    declared = {name for name, _ in board.variables}
    used = {
        name
        for query in board.queries
        for name in re.findall(r"\$([a-z]\w*)", query.expr)
        if name != "datasource"
    }

    assert used <= declared


@pytest.mark.parametrize("expr", QUERIES)
def test_metrics_asked_for_are_conventions(expr):
    """
    Nothing is asked for that no rule records and nobody exports.
    """
    known = {
        value for value in vars(conventions).values() if isinstance(value, str)
    } | {
        rule["record"]
        for text in generation.generate(ROOT).values()
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    asked = set(
        re.findall(r"\b(?:fournines|octavia|probe|http|prom\w+)[_:][\w:]+", expr)
    )

    assert asked <= known


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing")
def test_queries_are_promql(tmp_path):
    """
    Every query of every panel parses.
    """
    rules = [
        {"record": f"panel:{number}", "expr": query.resolved(platform="p", service="s")}
        for number, (_, _, query) in enumerate(ASKED)
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))

    done = subprocess.run(
        ["promtool", "check", "rules", file],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("board", build.boards(), ids=lambda board: board.uid)
def test_grafana_gets_each_query(board):
    """
    The JSON that Grafana imports holds every query, on the board's data source.
    """
    content = json.loads(build.render(board))
    targets = [
        target
        for panel in content["panels"]
        for inner in (panel, *panel.get("panels", ()))
        for target in inner.get("targets", ())
    ]

    assert [query.expr for query in board.queries] == [one["expr"] for one in targets]
    assert {one["datasource"]["uid"] for one in targets} == {"${datasource}"}
