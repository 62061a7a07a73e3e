"""
Goal 9: nothing is done about noise. A soak on the real chain with a healer that may act, and simulated days.
"""

import random
import signal
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fournines.store.sql import open_store
from tests.bench.bench_stage import Stage
from tests.bench.figures import scale
from tests.story.clinic import Clinic

MINUTES = 10
DAYS = 3
EVERY_SECONDS = 180
RATE = 100.0
CONTROL_SECONDS = 45.0
DESTRUCTIVE = frozenset({"ensure_instance", "delete_instance", "restart_instance"})
KUBERNETES = "Kubernetes rolled back a 20 s grace"

pytestmark = pytest.mark.bench


def pause(stage, one, _dice):
    """Silence of 300 ms, as a collection of garbage makes it."""
    stage.behave(one, "pause")


def freeze(stage, one, _dice):
    """The same from outside."""
    child = stage.children[one["name"]]
    child.send_signal(signal.SIGSTOP)
    time.sleep(0.3)
    child.send_signal(signal.SIGCONT)


def reload(stage, _one, _dice):
    """HAProxy begins anew: connections break, counters fall to 0."""
    child = stage.children.pop("haproxy-0")
    child.terminate()
    child.wait(5)
    stage.start(
        "haproxy-0", ["haproxy", "-db", "-f", str(stage.state / "haproxy-0.cfg")]
    )


def hog(stage, _one, dice):
    """Something else wants a processor for two seconds."""
    name = f"hog-{dice.random()}"
    stage.start(
        name,
        [
            sys.executable,
            "-c",
            "import time\nend = time.time() + 2\nwhile time.time() < end: pass",
        ],
    )


NOISE = (pause, freeze, pause, freeze, reload, hog)


def test_soak(figures, tmp_path):
    """
    Pauses, reloads and a busy machine under load: no instance is made, deleted or restarted.
    """
    seconds = MINUTES * 60 * scale()
    dice = random.Random(9)
    with Stage(tmp_path, services=1, loops=True) as stage:
        service = stage.world[0]
        program = str(Path(__file__).with_name("bench_traffic.py"))
        url = f"http://{service['address']}:8080/"
        stage.start("traffic", [sys.executable, program, str(RATE), "3600", url])
        time.sleep(15)
        end, made = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            dice.choice(NOISE)(stage, dice.choice(service["members"]), dice)
            made += 1
            time.sleep(dice.uniform(1, 4))
        time.sleep(5)
        calls = stage.calls()
        store = open_store(stage.settings.store_url)
        cases = len(store.cases.cases(limit=10_000))
        heard = _kill(stage, store, service["members"][0])
        store.close()
    destructive = [name for _, name, _ in calls if name in DESTRUCTIVE]
    weights = [name for _, name, _ in calls if name == "set_weight"]
    what = f"{seconds / 60:.0f} min of noise, {made} events"
    figures.note(
        9, f"{what}: destructive", len(destructive), "", goal="0", others=KUBERNETES
    )
    figures.note(9, f"{what}: changes of weight", len(weights), "", goal="<= 1")
    figures.note(9, f"{what}: cases opened", cases, "")

    assert heard, "the chain was not listening: the soak proves nothing"
    assert destructive == []


def _kill(stage, store, one):
    """
    The counter-proof: a real fault is healed by the same healer.
    """
    stage.children[one["name"]].kill()
    end = time.monotonic() + CONTROL_SECONDS
    while time.monotonic() < end:
        time.sleep(0.5)
        named = {case.subject.instance for case in store.cases.cases(limit=100)}
        made = [name for _, name, _ in stage.calls() if name == "ensure_instance"]
        if one["name"] in named and made:
            return True
    return False


def test_simulated_days(figures):
    """
    Three days in which an alert flaps every three minutes: no instance is touched, and every weight is back.
    """
    alerts = round(DAYS * 86_400 / EVERY_SECONDS * scale())
    dice = random.Random(3)
    with TemporaryDirectory() as folder:
        clinic = Clinic(Path(folder))
        began = clinic.clock.now()
        for _ in range(alerts):
            clinic.settle(EVERY_SECONDS * dice.uniform(0.5, 1.5))
            clinic.view.refresh()
            clinic.alert(f"demo-shop-web-{dice.randrange(4)}-g1")
            clinic.heal()
        days = (clinic.clock.now() - began).total_seconds() / 86_400
        changed = clinic.changes()
        weights = sorted(clinic.members().values())
    what = f"{days:.1f} simulated days, {alerts} flaps"
    figures.note(
        9, f"{what}: destructive", len(changed), "", goal="0", others=KUBERNETES
    )

    assert changed == []
    assert weights == [1, 1, 1, 1]
