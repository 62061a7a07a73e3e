"""
The store's promises, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from fournines.model.case import Case, CaseState, Subject
from fournines.model.desired import Group, Platform, Service
from fournines.model.ownership import Owner
from fournines.model.specification import NetworkSpec
from fournines.planning.plan import Plan, Purpose
from fournines.planning.steps import Drain
from fournines.store.database import connect
from fournines.store.protocol import AlertRecord, LeaseHeld, StepState, StoreError
from fournines.store.sql import SqlStore, open_store
from fournines.store.tables import METADATA

NOW = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)


def _postgresql_binaries() -> Path | None:
    found = [
        path.parent
        for path in (
            *sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True),
            Path(shutil.which("initdb") or "/nonexistent/initdb"),
        )
        if path.exists()
    ]
    return found[0] if found else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """
    A throw-away PostgreSQL on a Unix socket; the server refuses to run as root, so root lends it to `nobody`.
    """
    binaries = _postgresql_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server on this machine (apt install postgresql)")
    as_user = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as home:
        if as_user:
            shutil.chown(home, "nobody", "nogroup")
        data = f"{home}/data"
        initdb = [f"{binaries}/initdb", "-D", data, "-A", "trust", "-U", "tester", "-N"]
        subprocess.run([*as_user, *initdb], check=True, capture_output=True, cwd=home)
        control = [*as_user, f"{binaries}/pg_ctl", "-D", data, "-w"]
        options = f"-c listen_addresses='' -k {home} -c fsync=off"
        start = [*control, "-l", f"{home}/log", "-o", options, "start"]
        subprocess.run(start, check=True, capture_output=True, cwd=home)
        try:
            yield f"postgresql+psycopg://tester@/postgres?host={home}"
        finally:
            stop = [*control, "-m", "immediate", "stop"]
            subprocess.run(stop, check=True, capture_output=True, cwd=home)


def _empty(url: str) -> None:
    database = connect(url)
    with database.writing("emptying") as db:
        METADATA.drop_all(db)
        db.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    database.engine.dispose()


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """
    An empty database.
    """
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/store.db"
    address: str = request.getfixturevalue("postgresql")
    _empty(address)
    return address


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """
    An empty store.
    """
    opened = open_store(url)
    yield opened
    opened.close()


def a_service(name: str = "shop", count: int = 2) -> Service:
    """
    A service of one group.
    """
    group = Group(name="web", count=count, image="i", flavor="f", network="demo-net")
    return Service(
        platform="demo",
        name=name,
        blueprint="web",
        blueprint_version="1",
        groups=(group,),
    )


def a_platform(*services: Service) -> Platform:
    """
    A platform of these services.
    """
    return Platform(
        name="demo",
        network=NetworkSpec(name="demo-network", owner=Owner(platform="demo")),
        services=services,
    )


def a_plan(purpose: Purpose = Purpose.DEPLOY, plan_id: str = "deploy-shop-1") -> Plan:
    """
    A plan of one step.
    """
    return Plan(
        id=plan_id,
        purpose=purpose,
        platform="demo",
        service="shop",
        made_at=NOW,
        steps=(Drain(id="drain/a", instance="a"),),
    )


def an_alert(key: str = "k1", status: str = "firing") -> AlertRecord:
    """
    An alert of the shop.
    """
    return AlertRecord(
        key=key,
        fingerprint=key,
        name="MemberErrors",
        status=status,
        labels={"platform": "demo", "service": "shop"},
        starts_at=NOW,
        received_at=NOW,
    )


def a_case(case_id: str = "case-1", state: CaseState = CaseState.OPEN) -> Case:
    """
    A case of the shop.
    """
    return Case(
        id=case_id,
        subject=Subject(platform="demo", service="shop", group="web", slot=1),
        opened_at=NOW,
        state=state,
    )


def test_migrations_build_what_the_tables_say(url):
    """
    The migrated database and the table definitions do not differ.
    """
    open_store(url).close()
    database = connect(url)
    with database.reading("comparing") as db:
        context = MigrationContext.configure(db, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    database.engine.dispose()


def test_two_starters_migrate_once(url):
    """
    Two processes that open an empty store at the same moment both succeed.
    """
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_store(url), range(4)))
    assert all(s.registry.platforms() == () for s in stores)
    for opened in stores:
        opened.close()


def test_a_newer_store_is_refused(url):
    """
    A store written by a newer release is left alone, and the message says what to do.
    """
    open_store(url).close()
    database = connect(url)
    with database.writing("ageing") as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer release"):
        open_store(url)
    database.engine.dispose()


def test_an_unknown_database_is_refused():
    """
    A URL of another kind of database names the two we can use.
    """
    with pytest.raises(StoreError, match="sqlite:///PATH"):
        open_store("mysql://somewhere/store")


def test_a_platform_comes_back_as_it_was_put(store):
    """
    The registry returns services in their order, and one service may be replaced alone.
    """
    platform = a_platform(a_service("shop"), a_service("admin"))
    store.registry.put_platform(platform, at=NOW)
    assert store.registry.platform("demo") == platform

    store.registry.put_service(a_service("admin", count=5), at=NOW)
    found = store.registry.platform("demo")
    assert [s.name for s in found.services] == ["shop", "admin"]
    assert found.service("admin").groups[0].count == 5

    store.registry.remove_service("demo", "shop")
    assert [s.name for s in store.registry.platforms()[0].services] == ["admin"]
    store.registry.remove_platform("demo")
    assert store.registry.platform("demo") is None


def test_resources_are_remembered_until_forgotten(store):
    """
    What was made is listed once, with its newest id, until it is forgotten.
    """
    for cloud_id in ("1", "2"):
        store.registry.record_resource("demo", "instance", "a", cloud_id, at=NOW)
    assert store.registry.resources("demo") == (("instance", "a", "2"),)
    store.registry.forget_resource("demo", "instance", "a")
    assert store.registry.resources("demo") == ()


def test_an_interrupted_plan_is_adopted_with_its_entries(store):
    """
    Opening a plan that was never closed keeps what is done of it.
    """
    plan = a_plan()
    store.journal.open_plan(plan, holder="one", at=NOW)
    store.journal.intend(plan.id, "drain/a", "drain", at=NOW)
    assert store.journal.unfinished() == (plan,)

    store.journal.open_plan(plan, holder="two", at=NOW)
    (entry,) = store.journal.entries(plan.id)
    assert entry.state is StepState.INTENDED

    store.journal.finish(plan.id, "drain/a", StepState.DONE, at=NOW, result={"id": "7"})
    (entry,) = store.journal.entries(plan.id)
    assert (entry.state, entry.ended_at, entry.result) == (
        StepState.DONE,
        NOW,
        {"id": "7"},
    )


def test_a_closed_plan_opened_again_begins_afresh(store):
    """
    The same plan months later does nothing by what was done the first time.
    """
    plan = a_plan()
    store.journal.open_plan(plan, holder="one", at=NOW)
    store.journal.intend(plan.id, "drain/a", "drain", at=NOW)
    store.journal.finish(plan.id, "drain/a", StepState.DONE, at=NOW)
    store.journal.close_plan(plan.id, outcome="done", at=NOW)
    assert store.journal.unfinished() == ()

    store.journal.open_plan(plan, holder="one", at=NOW)
    assert store.journal.entries(plan.id) == ()
    assert store.journal.plan(plan.id) == plan
    assert store.journal.plan("other") is None


def test_a_result_without_an_intent_is_refused(store):
    """
    Nothing ends in the journal that was not intended there.
    """
    store.journal.open_plan(a_plan(), holder="one", at=NOW)
    with pytest.raises(StoreError, match="without ever being intended"):
        store.journal.finish("deploy-shop-1", "drain/a", StepState.DONE, at=NOW)


def test_history_counts_every_healing_run(store):
    """
    The same healing plan run twice counts twice; deploys and old runs do not count.
    """
    heal = a_plan(Purpose.HEAL, "heal-1")
    for minute in (-30, 0, 1):
        at = NOW + timedelta(minutes=minute)
        store.journal.open_plan(heal, holder="one", at=at)
        store.journal.close_plan(heal.id, outcome="done", at=at)
    store.journal.open_plan(a_plan(), holder="one", at=NOW)
    assert store.journal.history("demo", "shop", since=NOW) == (heal, heal)


def test_a_lease_is_held_by_one(store):
    """
    A second taker is refused by name until the lease ends; fencing grows with each new holder only.
    """
    taken = store.leases.acquire(
        "demo/shop", holder="a", purpose="deploy", ttl_seconds=30, at=NOW
    )
    with pytest.raises(LeaseHeld, match="a holds it for deploy until 12:00:30"):
        store.leases.acquire(
            "demo/shop", holder="b", purpose="heal", ttl_seconds=30, at=NOW
        )
    later = NOW + timedelta(seconds=20)
    renewed = store.leases.acquire(
        "demo/shop", holder="a", purpose="deploy", ttl_seconds=30, at=later
    )
    assert renewed.fencing == taken.fencing
    expired = NOW + timedelta(seconds=50)
    stolen = store.leases.acquire(
        "demo/shop", holder="b", purpose="heal", ttl_seconds=30, at=expired
    )
    assert stolen.fencing == taken.fencing + 1

    store.leases.release(renewed)
    assert store.leases.current("demo/shop") == stolen
    store.leases.release(stolen)
    assert store.leases.current("demo/shop") is None
    again = store.leases.acquire(
        "demo/shop", holder="c", purpose="heal", ttl_seconds=30, at=expired
    )
    assert again.fencing == stolen.fencing + 1


def test_of_many_takers_one_wins(store):
    """
    Eight takers of a new lease at once: one gets it.
    """

    def take(number: int) -> bool:
        try:
            store.leases.acquire(
                "x", holder=f"h{number}", purpose="p", ttl_seconds=30, at=NOW
            )
        except LeaseHeld:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 1


def test_the_inbox_knows_what_is_news(store):
    """
    An alert is news when it first comes and when it is resolved, however often either is sent.
    """
    firing, resolved = an_alert(), an_alert(status="resolved")
    assert store.inbox.put([firing, firing]) == (firing,)
    assert store.inbox.put([firing]) == ()
    assert store.inbox.firing("demo", "shop") == (firing,)
    assert store.inbox.put([resolved]) == (resolved,)
    assert store.inbox.put([firing, resolved]) == ()
    assert store.inbox.firing("demo", "shop") == ()
    assert store.inbox.put([]) == ()


def test_resolved_before_firing_stays_resolved(store):
    """
    When the resolution overtakes its alert, the alert does not come alive afterwards.
    """
    store.inbox.put([an_alert(status="resolved")])
    assert store.inbox.put([an_alert()]) == ()
    assert store.inbox.firing("demo", "shop") == ()


def test_pending_alerts_wait_for_a_case(store):
    """
    Alerts are pending, oldest first, until a case takes them; their resolution keeps the case.
    """
    store.inbox.put([an_alert(key) for key in ("b", "a", "c")])
    assert [a.key for a in store.inbox.pending()] == ["b", "a", "c"]
    assert [a.key for a in store.inbox.pending(1)] == ["b"]
    store.inbox.assign(["b", "a"], "case-1")
    store.inbox.assign([], "case-1")
    assert [a.key for a in store.inbox.pending()] == ["c"]
    assert store.inbox.firing("demo", "shop")[0].case_id == "case-1"
    store.inbox.put([an_alert("b", "resolved")])
    assert [a.key for a in store.inbox.pending()] == ["c"]


def test_cases_by_state_and_age(store):
    """
    Cases come newest first and may be asked for by service, openness and age.
    """
    old = a_case("case-0", CaseState.RECOVERED).model_copy(
        update={"opened_at": NOW - timedelta(hours=1)}
    )
    store.cases.put(old)
    store.cases.put(a_case())
    assert [c.id for c in store.cases.cases()] == ["case-1", "case-0"]
    assert [c.id for c in store.cases.cases(open_only=True)] == ["case-1"]
    assert [c.id for c in store.cases.cases(since=NOW)] == ["case-1"]
    assert [c.id for c in store.cases.cases(limit=1)] == ["case-1"]
    assert store.cases.cases(service="other") == ()
    assert store.cases.open_for("demo/shop/web/1") == a_case()
    assert store.cases.case("case-0") == old

    store.cases.put(a_case(state=CaseState.RECOVERED))
    assert store.cases.open_for("demo/shop/web/1") is None
    assert store.cases.case("none") is None


def test_a_subject_has_one_open_case(store):
    """
    The database refuses a second open case of the same subject.
    """
    store.cases.put(a_case("case-1"))
    with pytest.raises(StoreError, match="recording case case-2"):
        store.cases.put(a_case("case-2"))


def test_switches_are_on_until_switched_off(store):
    """
    A switch nobody touched is on; a change says who, when and why.
    """
    assert store.switches.is_on("healing")
    assert store.switches.why("healing") == ""
    store.switches.set("healing", on=False, by="ann", why="game day", at=NOW)
    assert not store.switches.is_on("healing")
    assert "off by ann at 2026-05-01 12:00:00 UTC: game day" in store.switches.why(
        "healing"
    )
    store.switches.set("healing", on=True, by="ann", why="", at=NOW)
    assert store.switches.is_on("healing")


def test_many_threads_write_at_once(store):
    """
    Sixteen threads writing together neither fail nor lose a write.
    """
    with ThreadPoolExecutor(16) as pool:
        list(
            pool.map(
                lambda n: store.inbox.put([an_alert(f"k{n}")]),
                range(100),
            )
        )
    assert len(store.inbox.pending(1000)) == 100


def test_moments_need_a_zone(store):
    """
    A naive moment is refused rather than guessed.
    """
    with pytest.raises(StoreError, match="needs its zone"):
        store.registry.record_resource(
            "demo", "instance", "a", "1", at=NOW.replace(tzinfo=None)
        )
