"""
Where a member of a database finds the archive, and how it is brought back. Python's standard library alone; pgBackRest does the work.
"""

# ruff: noqa: INP001, T201  an instance runs this file by itself, and what it prints is its log

from __future__ import annotations

import json
import os
import pathlib
import pwd
import subprocess
import sys
from typing import Any

HERE = pathlib.Path(os.environ.get("ARCHIVIST_HOME", "/etc/fournines"))
CONFIG = pathlib.Path("/etc/pgbackrest")
HOSTS = pathlib.Path("/etc/hosts")
SPOOL = pathlib.Path("/data/postgres/spool")
STANZA = "main"
COMMAND_SECONDS = 120
SAID_CHARACTERS = 2_000


def known() -> dict[str, Any]:
    """
    What the platform told this member.
    """
    found: dict[str, Any] = json.loads((HERE / "archive.json").read_text())
    return found


def command(*words: str, seconds: float | None = COMMAND_SECONDS) -> tuple[bool, str]:
    """
    Run a program; whether it succeeded, and what it said last.
    """
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"{words[0]}: {error}"
    said = (done.stdout + done.stderr).strip()
    print(f"{' '.join(words[:4])}: {done.returncode} {said[-500:]}", flush=True)
    return done.returncode == 0, said[-SAID_CHARACTERS:]


# -- before anything starts


def repository(of: dict[str, Any], authority: pathlib.Path) -> dict[str, str]:
    """
    PgBackRest's options for one repository.
    """
    options = {
        "repo1-type": "s3",
        "repo1-path": "/pgbackrest",
        "repo1-s3-uri-style": "path",
        "repo1-s3-endpoint": of["host"],
        "repo1-storage-port": str(of["port"]),
        "repo1-s3-region": of["region"] or "us-east-1",
        "repo1-s3-bucket": of["bucket"],
        "repo1-s3-key": of["access"],
        "repo1-s3-key-secret": of["secret"],
        "repo1-cipher-type": "aes-256-cbc",
        "repo1-cipher-pass": of["cipher"],
        "repo1-bundle": "y",
        "compress-type": "zst",
        "log-level-console": "info",
        "log-level-file": "off",
        "process-max": "2",
        "start-fast": "y",
    }
    if authority.exists() and authority.stat().st_size:
        options["repo1-storage-ca-file"] = str(authority)
    return options


def written(sections: dict[str, dict[str, str]]) -> str:
    """
    As pgBackRest reads it.
    """
    lines = []
    for section, options in sections.items():
        lines += [f"[{section}]", *(f"{k}={v}" for k, v in options.items()), ""]
    return "\n".join(lines)


def member_options(told: dict[str, Any], me: str) -> dict[str, dict[str, str]]:
    """
    This member's configuration: itself first, then the others that vote, reached over TLS.
    """
    tls = {
        "ca-file": f"{HERE}/postgres/ca.pem",
        "cert-file": f"{HERE}/postgres/certificate.pem",
        "key-file": f"{HERE}/postgres/key.pem",
    }
    everybody = {
        **repository(told["archive"], HERE / "objects.pem"),
        **{name: str(value) for name, value in told["options"].items()},
        "archive-async": "y",
        "spool-path": str(SPOOL),
        "tls-server-address": "*",
        **{f"tls-server-{name}": path for name, path in tls.items()},
    }
    stanza = {"pg1-path": told["data"], "pg1-socket-path": "/run/postgresql"}
    for number, name in enumerate((n for n in told["voters"] if n != me), 2):
        stanza |= {
            f"pg{number}-host": name,
            f"pg{number}-host-type": "tls",
            **{f"pg{number}-host-{part}": path for part, path in tls.items()},
            f"pg{number}-path": told["data"],
            f"pg{number}-socket-path": "/run/postgresql",
        }
    return {"global": everybody, STANZA: stanza}


def prepare() -> None:
    """
    Write what pgBackRest reads, and the names of the others.
    """
    told, owner = known(), pwd.getpwnam("postgres")
    me = told["slot"]
    sections = member_options(told, me)
    allowed = "".join(f"tls-server-auth={name}={STANZA}\n" for name in told["voters"])
    main = written(sections).replace("[global]\n", f"[global]\n{allowed}", 1)
    texts = {"pgbackrest.conf": main}
    if told["source"]:
        source = {
            # Segments are fetched ahead: each alone takes a connection.
            "global": repository(told["source"], HERE / "objects.pem")
            | {"archive-async": "y", "spool-path": str(SPOOL)},
            STANZA: {"pg1-path": told["data"]},
        }
        texts["source.conf"] = written(source)
    CONFIG.mkdir(exist_ok=True)
    for name, text in texts.items():
        path = CONFIG / name
        path.touch(mode=0o600)
        path.write_text(text)
        os.chown(path, owner.pw_uid, owner.pw_gid)
    SPOOL.mkdir(exist_ok=True)
    os.chown(SPOOL, owner.pw_uid, owner.pw_gid)
    lines = HOSTS.read_text().splitlines() if HOSTS.exists() else []
    ours = [f"{address} {name}" for name, address in told["voters"].items()]
    HOSTS.write_text("\n".join([*(x for x in lines if x not in ours), *ours, ""]))


# -- once in the life of a database that begins with another's data


def restore() -> None:
    """
    The data directory as it was; what follows is Patroni's recovery with the log.
    """
    source = known()["source"]
    data = pathlib.Path(known()["data"])
    data.mkdir(mode=0o700, exist_ok=True)
    good, said = command(
        "pgbackrest", f"--config={CONFIG}/source.conf", f"--stanza={STANZA}",
        f"--set={source['backup']}", "--type=none", "--delta", "--force", "restore",
        seconds=None,
    )  # fmt: skip
    if not good:
        sys.exit(said)
