#!/usr/bin/python3
"""
All stages of cloud-init in one process.

Debian's four units each start an interpreter and import the same modules again; on a small
machine that is most of an instance's boot. The stages, their order and their records
(/run/cloud-init/status.json) are cloud-init's own.
"""

import sys

# Validation of user-data against its JSON schema only warns, and costs as much as a stage.
sys.modules["jsonschema"] = None

from cloudinit.cmd import main  # noqa: E402

STAGES = (
    ("init", "--local"),
    ("modules", "--mode=config"),
    ("modules", "--mode=final"),
)

failed = 0
for stage in STAGES:
    failed += bool(main.main(["cloud-init", *stage]))
sys.exit(bool(failed))
