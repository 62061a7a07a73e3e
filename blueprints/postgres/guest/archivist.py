"""
What stands beside PostgreSQL in each member and knows the archive. Python's standard library alone; pgBackRest does the work.

    prepare      before anything starts: pgBackRest's configuration
    serve PORT   orders over HTTPS, for the platform alone; the repository is made when this member leads
    restore      the data directory from the archive of another service (Patroni calls it once in the life of a database)

GET  /state                        what this member is and does, and how its last backup ended
POST /backup {"kind", "order"}     begin a backup: full, diff or incr. The same order twice is one backup
POST /expire {"set", "order"}      give up a full backup, and what rests on it
POST /mark   {"word"}              write a named restore point, and have the write-ahead log up to it archived

A backup is taken here: where this member is a replica the primary is asked only to begin and to end it.
"""

# ruff: noqa: INP001, T201  an instance runs this file by itself, and what it prints is its log

from __future__ import annotations

import base64
import hmac
import http.server
import json
import re
import ssl
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from .archive import COMMAND_SECONDS, HERE, STANZA, command, known, prepare, restore

USER = "fournines"
KINDS = ("full", "diff", "incr")
BODY_BYTES_MAX = 10_000
TEND_SECONDS = 3.0
_WORD = re.compile(r"[A-Za-z0-9._-]{1,60}")
_FULL = re.compile(r"\d{8}-\d{6}F")


Run = Callable[..., tuple[bool, str]]


def sql(statement: str, run: Run = command) -> str | None:
    """
    The answer of PostgreSQL here; None: there is none.
    """
    good, said = run(
        "psql", "--no-psqlrc", "-XAtq", "-h", "/run/postgresql", "-d", "postgres",
        "-c", statement, seconds=20,
    )  # fmt: skip
    return said if good else None


class Archivist:
    """
    One backup at a time, and a repository that is there.
    """

    def __init__(self, run: Run = command) -> None:
        self._lock = threading.Lock()
        self._run = run
        self.running: dict[str, Any] | None = None
        self.last: dict[str, Any] | None = None
        self.ready = False
        self.trouble = ""

    def role(self) -> str:
        """
        primary, replica, or empty while PostgreSQL does not answer.
        """
        found = self._sql("SELECT pg_is_in_recovery()")
        return {"f": "primary", "t": "replica"}.get(found or "", "")

    def _sql(self, statement: str) -> str | None:
        return sql(statement, self._run)

    def state(self) -> dict[str, Any]:
        """
        For the platform.
        """
        return {
            "role": self.role(),
            "ready": self.ready,
            "trouble": self.trouble,
            "running": self.running,
            "last": self.last,
        }

    def begin(self, kind: str, order: str) -> tuple[int, str]:
        """
        Begin a backup, unless this order was taken already.
        """
        if kind not in KINDS or not _WORD.fullmatch(order):
            return 400, f"kinds are {', '.join(KINDS)}, and an order is one word"
        here = self.role()
        if not here:
            return 409, "PostgreSQL does not answer here"
        words = ["--backup-standby"] if here == "replica" else []
        words = [f"--type={kind}", f"--annotation=order={order}", *words, "backup"]
        return self._start({"order": order, "kind": kind, "role": here}, words)

    def expire(self, label: str, order: str) -> tuple[int, str]:
        """
        Begin to give up a full backup with what rests on it. pgBackRest would give up the newest as well: whoever orders knows what stays.
        """
        if not _FULL.fullmatch(label) or not _WORD.fullmatch(order):
            return 400, "a set is a full backup's label, and an order is one word"
        work = {"order": order, "kind": "expire", "role": self.role()}
        return self._start(work, [f"--set={label}", "expire"])

    def _start(self, work: dict[str, Any], words: list[str]) -> tuple[int, str]:
        with self._lock:
            known = {(one or {}).get("order") for one in (self.running, self.last)}
            if work["order"] in known:
                return 202, "taken already"
            if self.running:
                return 409, f"pgBackRest is at work: {self.running['order']}"
            self.running = work
        threading.Thread(target=self._work, args=(words,)).start()
        return 202, "begun"

    def _work(self, words: list[str]) -> None:
        begun = time.time()
        stanza = f"--stanza={STANZA}"
        good, said = self._run("pgbackrest", stanza, *words, seconds=None)
        with self._lock:
            self.last = {
                **(self.running or {}),
                "good": good,
                "said": said,
                "seconds": round(time.time() - begun, 1),
            }
            self.running = None

    def mark(self, word: str) -> tuple[int, str]:
        """
        Name this moment in the write-ahead log, and have it archived.
        """
        if not _WORD.fullmatch(word):
            return 400, "a mark is one word"
        if self.role() != "primary":
            return 409, "only a primary has a log of its own"
        # With a number of its own it is a commit, and only those end a recovery to a moment.
        point = f"SELECT pg_create_restore_point('{word}'), pg_current_xact_id()"
        if self._sql(f"SET synchronous_commit = local; {point}") is None:
            return 500, "no restore point could be made"
        found = self._sql("SELECT pg_walfile_name(pg_switch_wal())")
        if found is None:
            return 500, "the log could not be switched"
        end = time.monotonic() + COMMAND_SECONDS / 2
        while time.monotonic() < end:
            archived = self._sql("SELECT last_archived_wal FROM pg_stat_archiver") or ""
            if len(archived) == len(found) and archived >= found:
                return 200, found
            time.sleep(0.2)
        return 504, f"{found} is not archived yet"

    def tend(self) -> None:
        """
        For ever: have the repository made while this member leads. Its log waits for that.
        """
        while True:
            try:
                if not self.ready and self.role() == "primary":
                    self._found()
            except Exception as error:  # noqa: BLE001  whatever it is: the next look may succeed
                print(f"tending: {error!r}", flush=True)
            time.sleep(TEND_SECONDS)

    def _found(self) -> None:
        stanza = ("pgbackrest", f"--stanza={STANZA}")
        good, said = self._run(*stanza, "stanza-create")
        if not good and "stanza-upgrade" in said:
            # A service of this name was there before: its backups stay beside ours.
            good, said = self._run(*stanza, "stanza-upgrade")
        self.ready, self.trouble = good, "" if good else said


class Orders(http.server.BaseHTTPRequestHandler):
    """
    The platform's orders.
    """

    protocol_version = "HTTP/1.1"
    timeout = 30
    archivist: Archivist
    password = ""

    def do_GET(self) -> None:
        if self._is_let_in():
            if self.path == "/state":
                self._answer(200, self.archivist.state())
            else:
                self._answer(404, {"said": "no such page"})

    def do_POST(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), BODY_BYTES_MAX)
        given = self.rfile.read(length)
        if not self._is_let_in():
            return
        try:
            asked = json.loads(given or b"{}")
            if self.path == "/backup":
                code, said = self.archivist.begin(
                    str(asked["kind"]), str(asked["order"])
                )
            elif self.path == "/expire":
                code, said = self.archivist.expire(
                    str(asked["set"]), str(asked["order"])
                )
            elif self.path == "/mark":
                code, said = self.archivist.mark(str(asked["word"]))
            else:
                code, said = 404, f"there is no order {self.path}"
        except (ValueError, KeyError, TypeError) as error:
            code, said = 400, repr(error)
        self._answer(code, {"said": said})

    def _is_let_in(self) -> bool:
        login = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        given = self.headers.get("Authorization") or ""
        if hmac.compare_digest(given.encode(), f"Basic {login}".encode()):
            return True
        self._answer(401, {"said": "who are you?"})
        return False

    def _answer(self, code: int, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: what is done says it itself."""


def serve(port: int) -> None:
    """
    Answer for ever.
    """
    archivist = Archivist()
    Orders.archivist, Orders.password = archivist, known()["password"]
    threading.Thread(target=archivist.tend, daemon=True).start()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(
        HERE / "postgres/certificate.pem", HERE / "postgres/key.pem"
    )
    server = http.server.ThreadingHTTPServer(("", port), Orders)
    server.daemon_threads = True
    # The handshake is the connection's own thread's, so that a client that says nothing holds up nobody.
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    server.serve_forever()


def main() -> None:
    """
    What the command line asks for.
    """
    match sys.argv[1:]:
        case ["prepare"]:
            prepare()
        case ["serve", port]:
            serve(int(port))
        case ["restore"]:
            restore()
        case words:
            sys.exit(f"there is no {words}")
