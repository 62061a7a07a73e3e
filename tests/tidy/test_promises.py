"""
What the code promises in one place is kept in another.
"""

import ast
import re
from pathlib import Path

import yaml

from fournines.model.case import Diagnosis
from fournines.model.refusal import Reason

ROOT = Path(__file__).resolve().parents[2]


def test_every_refusal_has_a_paragraph():
    """
    A person who meets a refusal finds what it means and what to do.
    """
    page = (ROOT / "docs" / "runbooks" / "refusals.md").read_text()

    assert [reason for reason in Reason if f"## {reason.value}\n" not in page] == []


def test_every_diagnosis_has_a_section():
    """
    A person who reads a diagnosis finds what was seen, what the healer does, and what is left to do.
    """
    page = (ROOT / "docs" / "runbooks" / "diagnoses.md").read_text()
    sections = {part.partition("\n")[0]: part for part in page.split("\n## ")[1:]}

    assert [one for one in Diagnosis if one.value not in sections] == []
    for name, text in sections.items():
        for word in ("**Seen:**", "**The healer**", "**A person**"):
            assert word in text, (name, word)


def test_every_alert_has_a_runbook():
    """
    Every alert's runbook_url resolves to a page of this repository.
    """
    missing = []
    for file in sorted((ROOT / "alerts" / "rules").glob("*.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                if "alert" not in rule:
                    continue
                url = rule.get("annotations", {}).get("runbook_url", "")
                page = re.sub(r"^.*docs/runbooks/", "", url).split("#")[0]
                if not page or not (ROOT / "docs" / "runbooks" / page).is_file():
                    missing.append(f"{file.name}: {rule['alert']} -> {url!r}")

    assert missing == []


def test_metrics_that_people_are_told_of_are_exported():
    """
    Every metric that docs/watching.md lists is made somewhere: a name that nobody exports is an alert that never fires.
    """
    page = (ROOT / "docs" / "watching.md").read_text()
    named = set(re.findall(r"`(fournines_[a-z_]+?)(?:\{[a-z_,]+\})?`", page))
    code = "\n".join(
        path.read_text()
        for folder in ("alerts", "flows")
        for path in sorted((ROOT / folder).rglob("*.py"))
    )
    histograms = {
        f"fournines_case_{name}_seconds"
        for name in ("detection", "first_action", "redundancy")
    }

    assert len(named) > 15
    missing = {
        name
        for name in named - histograms
        if f'"{name}"' not in code and f'"{name.removesuffix("_total")}"' not in code
    }
    assert missing == set()


def test_tokens_are_compared_in_constant_time():
    """
    The door compares each of its tokens with `hmac.compare_digest` and with nothing else, none left out for an earlier one that fits.
    """
    tree = ast.parse((ROOT / "alerts" / "receiver.py").read_text())
    (compare,) = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "_is_known"
    ]
    calls = [
        ast.unparse(node.func)
        for node in ast.walk(compare)
        if isinstance(node, ast.Call)
    ]

    assert "hmac.compare_digest" in calls
    assert not [node for node in ast.walk(compare) if isinstance(node, ast.Compare)]
    assert [node for node in ast.walk(compare) if isinstance(node, ast.ListComp)]
    others = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and "token" in ast.unparse(node).lower()
    ]
    assert others == []


def test_readme_names_only_targets_that_exist():
    """
    Every `make` target the README names stands in the Makefile.
    """
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"\bmake ([a-z-]+)", readme))

    assert {name for name in named if f"\n{name}:" not in makefile} == set()
