"""
What tests of decisions share.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest

from alerts.generation import rehearsal


@pytest.fixture
def promtool(tmp_path):
    """
    Rehearse generated rules with Debian's promtool; a failed expectation fails the test with promtool's words.
    """
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")

    def rehearse(series, *, step=1, rings=None, values=None, groups=("fast",)) -> None:
        members = any("member" in one["series"] for one in series)
        rules = rehearsal.rules_of(groups, members=members)
        test = rehearsal.document(
            series, step=step, rings=rings or {}, values=values or {}
        )
        (tmp_path / "rules.yml").write_text(rules)
        (tmp_path / "test.yml").write_text(test)
        done = subprocess.run(
            ["promtool", "test", "rules", "test.yml"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

        assert done.returncode == 0, done.stdout + done.stderr

    return rehearse
