"""
The rules of the house that no linter knows.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "fournines",
    "blueprints",
    "alerts",
    "healing",
    "tasks",
    "flows",
    "dashboards",
)
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
STDLIB_NAMES_ALLOWED = {
    # a noun of ours first; always imported by its full dotted name
    "fournines/cloud/errors.py",
    "tasks/operators/http.py",
}


def tracked(pattern: str) -> list[Path]:
    """Files git knows (or would add), by pattern."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def sources() -> list[Path]:
    """Modules of the packages, generated code aside."""
    return [
        path
        for path in tracked("*.py")
        if path.relative_to(ROOT).parts[0] in PACKAGES and "versions" not in path.parts
    ]


def relative(path: Path) -> str:
    """A path for a message."""
    return str(path.relative_to(ROOT))


def test_entry_points_are_module_paths():
    """
    A flow loaded by file would exist twice; every entry point is a module path.
    """
    content = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text())

    for deployment in content["deployments"]:
        assert re.fullmatch(r"[a-z_.]+:[a-z_]+", deployment["entrypoint"])


def test_tests_are_no_packages():
    """
    A test folder must not shadow a package.
    """
    assert [relative(p) for p in tracked("tests/**/__init__.py")] == []
    assert not {p.name for p in (ROOT / "tests").iterdir()} & set(PACKAGES)


def test_modules_do_not_shadow():
    """
    No module inside a package is named like a top-level package or a stdlib module.
    """
    taken = set(PACKAGES) | set(sys.stdlib_module_names)
    shadows = {
        relative(path)
        for path in sources()
        if path.stem in taken and path.parent != ROOT
    }

    assert shadows - STDLIB_NAMES_ALLOWED == set()


def test_only_the_cli_is_run_as_a_file():
    """
    Running a file puts its folder on the path; only cli.py may be.
    """
    guilty = [
        relative(path)
        for path in sources()
        if "__name__" in path.read_text()
        and '"__main__"' in path.read_text()
        and path.name != "cli.py"
    ]

    assert guilty == []


def test_no_imports_inside_functions():
    """
    Prefect takes the working directory off the path again: a late import may fail.
    """
    guilty = [
        f"{relative(path)}:{inner.lineno}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]

    assert guilty == []


def test_files_and_functions_are_short():
    """
    A file has a noun, a function fits a screen.
    """
    long = []
    for path in sources():
        text = path.read_text()
        if text.count("\n") > FILE_LINES_MAX:
            long.append(relative(path))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                if node.end_lineno - node.lineno >= FUNCTION_LINES_MAX:
                    long.append(f"{relative(path)}:{node.name}")

    assert long == []


def test_every_test_says_what_is_true():
    """
    A test without a docstring proves nobody knows what.
    """
    silent = [
        f"{relative(path)}:{node.name}"
        for path in tracked("tests/*.py")
        if path.name.startswith("test_")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]

    assert silent == []


def test_own_code_is_not_patched():
    """
    A fake behind a Protocol reads better than a patch; contract tests may patch a foreign wire.
    """
    guilty = [
        relative(path)
        for path in tracked("tests/*.py")
        if "contract" not in path.parts
        and path.name != Path(__file__).name
        and re.search(r"mock\.patch|monkeypatch\.setattr", path.read_text())
    ]

    assert guilty == []


def test_nothing_is_left_unfinished():
    """
    No unfinished marks in code.
    """
    mark = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    guilty = [
        relative(path)
        for pattern in ("*.py", "*.sh", "*.yaml", "*.yml", "Makefile")
        for path in tracked(pattern)
        if mark.search(path.read_text())
    ]

    assert guilty == []


@pytest.mark.parametrize(
    "file", ["constraints.txt", "deployments/sandbox/constraints.txt"]
)
def test_constraints_are_pins_without_addresses(file):
    """
    A constraints file pins exact versions and names no host.
    """
    lines = [
        line
        for line in (ROOT / file).read_text().splitlines()
        if line and not line.startswith("#")
    ]

    assert lines
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", x) for x in lines)


def test_links_in_documents_resolve():
    """
    Every relative link of a Markdown page leads to a file.
    """
    broken = []
    for page in tracked("*.md"):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" in target or target.startswith("mailto:"):
                continue
            if not (page.parent / target).exists():
                broken.append(f"{relative(page)} -> {target}")

    assert broken == []
