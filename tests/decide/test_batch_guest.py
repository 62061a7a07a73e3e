"""
What the programs in a batch service's instances decide: who may give orders, what an order means, why a task ended, what Prometheus is told.
"""

from __future__ import annotations

import http.client
import http.server
import json
import threading
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from blueprints.batch import reading
from blueprints.batch.guest import bucket, figures, gate, keeper
from blueprints.batch.reading import Stage

KEY = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def a_token(user: str = "slurm", key: bytes = KEY, minutes: int = 10) -> str:
    """As the operator signs it."""
    claims = {"sun": user, "exp": NOW + timedelta(minutes=minutes)}
    return jwt.encode(claims, key, algorithm="HS256")


@pytest.mark.parametrize(
    ("token", "good"),
    [
        pytest.param(a_token(), True, id="slurms-own-user"),
        pytest.param(a_token("job"), False, id="somebody-else"),
        pytest.param(a_token(key=KEY[::-1]), False, id="another-key"),
        pytest.param(a_token(minutes=-1), False, id="too-old"),
        pytest.param("", False, id="nothing"),
        pytest.param("a.b.c", False, id="no-token"),
    ],
)
def test_orders_are_taken_from_slurms_own_user_alone(token, good):
    """
    By a token that is signed with the service's key and still good.
    """
    assert gate.speaks_for_slurm(KEY, token, NOW.timestamp()) is good


def test_what_the_gate_signs_the_library_reads():
    """
    Its own tokens are such as Slurm takes.
    """
    said = jwt.decode(
        gate.token(KEY, "slurm", NOW.timestamp()),
        KEY,
        algorithms=["HS256"],
        options={"verify_exp": False},
    )
    assert said["sun"] == "slurm"


def test_an_order_is_one_of_four_about_one_worker():
    """
    Anything else is no order, and no name leads to another command.
    """
    body = b'{"state": "DRAIN", "reason": "leaves"}'
    assert gate.command("POST", "/fournines/nodes/a-b-1", body) == [
        "/usr/bin/scontrol",
        "update",
        "nodename=a-b-1",
        "state=DRAIN",
        "reason=leaves",
    ]
    deleted = gate.command("DELETE", "/fournines/nodes/a-b-1", None)
    assert deleted == ["/usr/bin/scontrol", "delete", "nodename=a-b-1"]
    assert (
        gate.command("POST", "/fournines/nodes/a", b'{"state": "POWER_DOWN"}') is None
    )
    assert gate.command("DELETE", "/fournines/nodes/a;b", None) is None
    assert gate.command("DELETE", "/fournines/nodes/", None) is None


@pytest.mark.parametrize(
    ("code", "seconds", "why"),
    [
        (0, 9, "done"),
        (1, 9, "failed"),
        (124, 10, "timeout"),
        (124, 3, "failed"),
        (137, 3, "memory"),
        (137, 15, "timeout"),
        (143, 3, "failed"),
    ],
)
def test_why_a_task_ended(code, seconds, why):
    """
    A time-out is one only when the time was over.
    """
    assert keeper.cause(code, seconds, 10) == why


class Shelf(dict):
    """
    As the keeper's bucket, in memory.
    """

    def put(self, key, data, *, new=False):
        """Keep it, unless it must be new and is not."""
        if new and key in self:
            return False
        self[key] = data
        return True

    def get(self, key):
        """What was kept."""
        return dict.get(self, key)

    def keys(self, prefix=""):
        """Those that begin so."""
        return iter([key for key in dict.keys(self) if key.startswith(prefix)])


def a_task(place, *, restarts=0, log="hello\n") -> keeper.Task:
    """One that has run in a folder."""
    (place / "output").mkdir(parents=True)
    (place / "script").write_text("")
    (place / "log").write_text(log)
    return keeper.Task(place, "a-1", 3, restarts, 60, {"lost": 10}, "")


def test_a_short_log_stands_in_the_result(tmp_path):
    """
    It costs no request of its own; a long one, and one of which part is kept already, does.
    """
    shelf = Shelf()
    keeping = keeper.Keeper({"node": "w-0"}, shelf)
    assert keeping.end(a_task(tmp_path / "a"), 0) == "0"
    assert json.loads(shelf["jobs/a-1/3/result"])["log"] == "hello\n"
    assert list(shelf) == ["jobs/a-1/3/result"]

    shelf.clear()
    long = "x" * (keeper.SHORT_LOG_BYTES_MAX + 1)
    keeping.end(a_task(tmp_path / "b", log=long), 0)
    assert shelf["jobs/a-1/3/0/log"] == long.encode()
    assert "log" not in json.loads(shelf["jobs/a-1/3/result"])


def test_the_first_result_stands_and_the_second_is_told(tmp_path):
    """
    A worker that was frozen comes to its end after another had: what it found is not counted, and that it ran is.
    """
    shelf = Shelf()
    keeping = keeper.Keeper({"node": "w-0"}, shelf)
    keeping.end(a_task(tmp_path / "a", restarts=1), 0)
    assert keeping.end(a_task(tmp_path / "b"), 3) == "0"

    assert json.loads(shelf["jobs/a-1/3/result"])["attempt"] == 1
    assert "jobs/a-1/3/twice/0" in shelf


class Sleepy(http.server.BaseHTTPRequestHandler):
    """
    An object store that counts its callers, and hangs up after an answer when told to.
    """

    protocol_version = "HTTP/1.1"
    callers = 0
    hangs_up = False

    def setup(self):
        """Somebody connects."""
        type(self).callers += 1
        super().setup()

    def do_GET(self):
        """There is nothing."""
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()
        # Without a word: as a server does whose patience with an idle connection is over.
        self.close_connection = type(self).hangs_up

    def log_message(self, *_):
        """Nothing."""


def test_a_connection_to_the_store_is_used_again():
    """
    Tasks' threads take it over from one another; one that was closed meanwhile is replaced, and nobody notices.
    """
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sleepy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {"bucket": "b", "access": "a", "secret": "s", "region": "r"}
    store = bucket.Bucket(
        settings | {"url": f"https://127.0.0.1:{server.server_port}"}, PlainConnection
    )

    def ask() -> None:
        thread = threading.Thread(target=lambda: found.append(store.get("x")))
        thread.start()
        thread.join()

    found = []
    for _ in range(3):
        ask()
    assert Sleepy.callers == 1
    Sleepy.hangs_up = True
    for _ in range(3):
        ask()
    server.shutdown()
    server.server_close()
    assert found == [None] * 6
    assert Sleepy.callers <= 4


class PlainConnection(http.client.HTTPConnection):
    """
    Without TLS, which is the library's.
    """

    def __init__(self, host, port, *, timeout, context) -> None:
        del context
        super().__init__(host, port, timeout=timeout)


def a_job(**said) -> dict:
    """As Slurm tells of it."""
    return {
        "job_id": 1,
        "partition": "main",
        "job_state": "PENDING",
        "submit_time": 100,
        "eligible_time": 100,
        **said,
    }


ASKED = {"queues": {"main": {}}, "start_seconds": 30, "workers_max": 1}
IDLE, BUSY = [{"state": "idle"}], [{"state": "allocated"}]


def started(counts: figures.Figures) -> tuple[int, int]:
    """In time, and late."""
    lines = counts.text(0).splitlines()
    told = {
        one.rpartition(" ")[0]: int(one.rpartition(" ")[2])
        for one in lines[1:]
        if one.startswith("batch_started_total")
    }
    key = 'batch_started_total{{queue="main",promise="{}"}}'
    return told[key.format("in_time")], told[key.format("late")]


def test_tasks_that_begin_count_once_by_their_promise():
    """
    Those before the first look not at all; the rest of an array that waits is as many tasks as it is.
    """
    counts = figures.Figures(ASKED)
    waiting = a_job(
        job_id=9, array_job_id=9, array_task_string="3-5,8%2", submit_time=140
    )
    old = a_job(job_id=1, job_state="RUNNING", start_time=110)
    counts.look([old, waiting], IDLE, 150)
    soon = a_job(job_id=2, job_state="RUNNING", start_time=120)
    late = a_job(job_id=3, job_state="COMPLETED", start_time=131)
    for _ in range(2):
        counts.look([old, waiting, soon, late], IDLE, 160)

    text = counts.text(160)
    assert 'batch_tasks{queue="main",state="waiting"} 4' in text
    assert started(counts) == (1, 1)
    assert 'batch_waiting_seconds{queue="main"} 20.0' in text
    assert 'batch_workers{state="idle"} 1' in text


def test_what_never_begins_is_late_once():
    """
    Each task of an array counts when its promise is over, and not once more when it begins after all; a task that begins anew has a new promise.
    """
    counts = figures.Figures(ASKED)
    counts.look([], IDLE, 99)
    rest = a_job(job_id=9, array_job_id=9, array_task_string="0-2")
    counts.look([rest], IDLE, 130)
    assert started(counts) == (0, 0)
    counts.look([rest], IDLE, 131)
    assert started(counts) == (0, 3)

    first = a_job(
        job_id=10, array_job_id=9, array_task_id=0, job_state="RUNNING", start_time=140
    )
    counts.look([first, rest | {"array_task_string": "1-2"}], IDLE, 141)
    assert started(counts) == (0, 3)
    lost = first | {"restart_cnt": 1, "eligible_time": 150, "start_time": 160}
    counts.look([lost], IDLE, 161)
    assert started(counts) == (1, 3)


@pytest.mark.parametrize(
    ("reason", "workers", "late"),
    [
        pytest.param("Dependency", IDLE, 0, id="another-job-comes-first"),
        pytest.param("JobArrayTaskLimit", IDLE, 0, id="its-own-at-once"),
        pytest.param("JobHeldUser", IDLE, 0, id="its-user-holds-it"),
        pytest.param("BeginTime", IDLE, 0, id="it-was-tried-just-before"),
        pytest.param("Resources", BUSY, 0, id="all-workers-its-owner-allows-work"),
        pytest.param("Resources", IDLE, 1, id="there-would-be-room"),
        pytest.param("Resources", [], 1, id="no-worker-comes"),
        pytest.param(
            "ReqNodeNotAvail", [{"state": "down"}], 1, id="the-worker-is-down"
        ),
    ],
)
def test_only_the_platform_is_late(reason, workers, late):
    """
    Waiting that its user or its service's owner chose is no broken promise, and after it the promise begins anew; want of a worker is one.
    """
    counts = figures.Figures(ASKED)
    one = a_job(state_reason=reason)
    for now in range(100, 160, 10):
        counts.look([one], workers, now)
    assert started(counts) == (0, late)
    if not late:
        counts.look([one | {"state_reason": "Resources"}], IDLE, 180)
        counts.look([one | {"job_state": "RUNNING", "start_time": 181}], BUSY, 182)
        assert started(counts) == (1, 0)


@pytest.mark.parametrize("numbers", [(0,), (0, 1, 2), (3, 7, 8, 9), (1, 3, 5)])
def test_numbers_of_tasks_are_told_and_read_alike(numbers):
    """
    What is folded for Slurm spreads to the same numbers.
    """
    assert tuple(reading.spread(reading.folded(numbers))) == numbers


def test_a_record_is_read_into_our_words():
    """
    The rest of an array that waits for another job is held; an exit status is the code it holds.
    """
    held = a_job(
        comment="fournines:a-1", array_task_string="0-2", state_reason="Dependency"
    )
    found = reading.record(held)
    assert (found.job, found.indexes, found.stage) == ("a-1", (0, 1, 2), Stage.WAITING)
    assert found.held

    ended = reading.record(a_job(job_state="FAILED", exit_code=3 << 8))
    assert (ended.stage, ended.cause, ended.code, ended.job) == (
        Stage.ENDED,
        "failed",
        3,
        "",
    )
