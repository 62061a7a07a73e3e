"""
Rules generated from tiers, cadence and conventions: pure functions, committed text.
"""

from __future__ import annotations

from pathlib import Path

from alerts.generation import files

RULES_DIR = Path("alerts") / "rules"


def generate(root: Path) -> dict[Path, str]:
    """
    What `alerts/rules/` below `root` has to contain.
    """
    return {root / RULES_DIR / name: text for name, text in files.texts().items()}
