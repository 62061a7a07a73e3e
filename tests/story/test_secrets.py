"""
Fifty canaries through every path and its failures: not one is found where people or programs look.

Each canary is a secret of its own, so that a hit names the path that leaked. Where a foreign server is involved it does its worst: it quotes what
it was sent in its answer.
"""

from __future__ import annotations

import asyncio
import subprocess
from io import StringIO
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette

from alerts.receiver import Door
from fournines import concealment, log, tokens
from fournines.cli import app
from fournines.clock import SystemClock
from fournines.commands import frame
from fournines.local import programs, supervision
from fournines.settings import ROOT, Settings, settings
from fournines.store.protocol import StoreError
from fournines.store.sql import open_store
from tests.story import abuse, quoting

EXAMPLE = str(ROOT / "examples" / "shop.yaml")

CANARIES = [f"canary{number:02d}x7Qz9" for number in range(50)]

ECHOES = [
    pytest.param(200, id="garbage"),
    pytest.param(400, id="bad-request"),
    pytest.param(401, id="refused"),
    pytest.param(403, id="forbidden"),
    pytest.param(404, id="missing"),
    pytest.param(409, id="conflict"),
    pytest.param(500, id="broken"),
    pytest.param(503, id="down"),
]
"""8 answers x 3 kinds of credentials: canaries 0 to 23."""


@pytest.fixture(autouse=True)
def nothing_known():
    """
    Every test begins without knowing a secret.
    """
    concealment.forget()
    yield
    concealment.forget()
    settings.cache_clear()


class Sinks:
    """
    Everything that was said or written.
    """

    def __init__(self, state: Path, capsys) -> None:
        self.state = state
        self.capsys = capsys
        self.said = StringIO()

    def text(self, *, apart=()):
        """
        Output, logs and all files of the state directory, but those that are there to hold the secret.
        """
        out, err = self.capsys.readouterr()
        self.said.write(out + err)
        files = [
            path.read_bytes().decode(errors="replace")
            for path in self.state.rglob("*")
            if path.is_file() and path not in apart
        ]
        return "\n".join([self.said.getvalue(), *files])


@pytest.fixture
def sinks(tmp_path, capsys, monkeypatch):
    """
    An empty state directory; settings lead to it.
    """
    state = tmp_path / "state"
    state.mkdir()
    monkeypatch.setenv("FOURNINES_STATE_DIR", str(state))
    monkeypatch.setenv("FOURNINES_SLOT", "49")
    monkeypatch.setenv("FOURNINES_RETRY_ATTEMPTS", "1")
    settings.cache_clear()
    return Sinks(state, capsys)


@pytest.fixture
def echo():
    """
    A Keystone that quotes what it was sent, with a status of choice.
    """
    with quoting.keystone() as server:
        yield server


def auth_of(kind, canary):
    """
    The auth section of an entry.
    """
    if kind == "password":
        named = {"username": "u", "password": canary, "project_name": "p"}
        return {}, named | {"user_domain_id": "d", "project_domain_id": "d"}
    if kind == "application-credential":
        return (
            {"auth_type": "v3applicationcredential"},
            {
                "application_credential_id": "id",
                "application_credential_secret": canary,
            },
        )
    return {"auth_type": "v3token"}, {"token": canary, "project_id": "p"}


@pytest.mark.parametrize("kind", ["password", "application-credential", "token"])
@pytest.mark.parametrize("status", ECHOES)
def test_credentials_of_the_cloud(  # noqa: PLR0917  one table row
    sinks, echo, monkeypatch, tmp_path, status, kind
):
    """
    Password, application credential and token, with a Keystone that quotes them in each kind of answer; short and verbose.
    """
    place = [one.values[0] for one in ECHOES].index(status)
    kinds = ("password", "application-credential", "token")
    canary = CANARIES[place * 3 + kinds.index(kind)]
    echo.answer_with(status)
    more, auth = auth_of(kind, canary)
    auth["auth_url"] = f"http://127.0.0.1:{echo.server_port}/v3"
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(yaml.safe_dump({"clouds": {"fournines": more | {"auth": auth}}}))
    monkeypatch.setenv("FOURNINES_CLOUDS_FILE", str(clouds))
    settings.cache_clear()

    codes = [
        frame.run(app, words)
        for words in (["plan", EXAMPLE], ["--verbose", "deploy", EXAMPLE], ["doctor"])
    ]
    frame.set_up(verbose=False)

    said = sinks.text()
    assert 0 not in codes[:2]
    assert "Keystone" in said or "fournines" in said
    assert canary not in said


URLS = [
    pytest.param("postgresql+psycopg://u:{}@127.0.0.1:9/db", id="nobody-listens"),
    pytest.param("postgresql+psycopg//u:{}@127.0.0.1/db", id="no-url"),
    pytest.param("postgresql+psycopg://u:{}@127.0.0.1:port/db", id="no-port"),
    pytest.param("mysql://u:{}@127.0.0.1/db", id="another-database"),
    pytest.param("postgresql+psycopg://u:{}@[::1/db", id="half-an-address"),
    pytest.param("postgresql+psycopg://u:{}@127.0.0.1:9/db?x=y", id="bad-option"),
    pytest.param("postgresql://:{}@/db?host=/nowhere", id="no-socket"),
    pytest.param("oracle+nothing://u:{}@h/db", id="no-driver"),
]
"""Canaries 24 to 31."""


@pytest.mark.parametrize("url", URLS)
def test_password_of_the_database(sinks, monkeypatch, url):
    """
    Whatever is wrong with the URL or the server: by the command line, by the store itself, short and verbose.
    """
    canary = CANARIES[24 + [one.values[0] for one in URLS].index(url)]
    monkeypatch.setenv("FOURNINES_DATABASE_URL", url.format(canary))
    settings.cache_clear()

    codes = [frame.run(app, words) for words in (["cases"], ["--verbose", "cases"])]
    frame.set_up(verbose=False)
    concealment.forget()
    with pytest.raises(StoreError) as raised:
        open_store(url.format(canary)).cases.cases()

    assert 0 not in codes
    assert canary not in str(raised.value)
    assert canary not in sinks.text()


async def _knock(door, posts):
    transport = httpx.ASGITransport(Starlette(routes=[door.route]))
    async with (
        door.committing(),
        httpx.AsyncClient(transport=transport, base_url="http://door") as client,
    ):
        return [
            (await client.post("/alerts", content=body, headers=headers)).text
            for headers, body in posts
        ]


def test_tokens_of_the_door(sinks):
    """
    Good, previous and wrong tokens, each with good, malformed and too big messages, and with a store that fails.
    """
    current, before, wrong, basic = CANARIES[32:36]
    file = tokens.ensure(sinks.state / "secrets" / "webhook-token", before)
    tokens.rotate(file)
    file.write_text(current)

    class Broken:
        def put(self, alerts):
            raise StoreError(f"writing with {current}")

    at = SystemClock().now()
    bodies = (
        abuse.message(abuse.alert("demo-shop-web-1-g1", at)),
        b"{",
        b" " * 1_100_000,
        current.encode(),
    )
    headers = [
        {"Authorization": text, "Content-Type": "application/json"}
        for text in (
            f"Bearer {current}",
            f"Bearer {before}",
            f"Bearer {wrong}",
            f"Basic {basic}",
        )
    ]
    written, registry = StringIO(), CollectorRegistry()
    log.configure(stream=written, as_json=True)
    door = Door(
        inbox=Broken(),
        tokens=tokens.Tokens(file).accepted,
        clock=SystemClock(),
        on_new=lambda _records: None,
        on_watchdog=lambda: None,
        registry=registry,
    )
    answers = asyncio.run(_knock(door, [(h, b) for h in headers for b in bodies]))

    assert len(answers) == 16
    metrics = generate_latest(registry).decode()
    said = (
        written.getvalue() + metrics + sinks.text(apart=(file, tokens.previous(file)))
    )
    assert "alerts_refused" in said
    assert [c for c in (current, before, wrong, basic) if c in said] == []
    answered = "".join(answers)
    assert [c for c in (before, wrong, basic) if c in answered] == []


def test_tokens_and_addresses_in_what_is_started(sinks, monkeypatch):
    """
    Canaries 36 to 40: no command line of ours holds one, and no file that others may read.
    """
    token, page, dead, password, given = CANARIES[36:41]
    url = f"postgresql+psycopg://u:{password}@h/db"
    chosen = Settings(
        state_dir=sinks.state,
        slot=49,
        webhook_token=token,
        page_url=f"https://page.test/{page}",
        dead_man_url=f"https://dead.test/{dead}",
        database_url=url,
    )
    started = programs.programs(chosen)
    commands = " ".join(word for one in started for word in one.command)
    supervised = supervision.render(chosen, started)
    tokens.ensure(chosen.webhook_token_file, given)

    for canary in (token, page, dead, password, given):
        assert canary not in commands
        assert canary not in repr(chosen).replace(url, "")
    for canary in (token, page, dead, given):
        assert canary not in supervised
    assert chosen.webhook_token_file.stat().st_mode & 0o077 == 0


ADDRESSES = [
    pytest.param("https://u:{}@127.0.0.1:9/app.git", id="git"),
    pytest.param("git+https://u:{}@127.0.0.1:9/app", id="git-plus"),
    pytest.param("http://u:{}@127.0.0.1:9/app.tar.gz", id="tarball"),
    pytest.param("ssh://u:{}@127.0.0.1:9/app.git", id="ssh"),
]
"""Canaries 41 to 44."""


@pytest.mark.parametrize("address", ADDRESSES)
def test_password_in_the_address_of_an_application(sinks, tmp_path, address):
    """
    It is refused, with a sentence that does not repeat it: it would stand in the store, in the UI and on git's command line.
    """
    canary = CANARIES[41 + [one.values[0] for one in ADDRESSES].index(address)]
    file = tmp_path / "platform.yaml"
    parameters = {"artefact": address.format(canary)}
    shop = {"blueprint": "web", "parameters": parameters}
    file.write_text(yaml.safe_dump({"platform": "demo", "services": {"shop": shop}}))

    codes = [
        frame.run(app, words)
        for words in (["plan", str(file)], ["--verbose", "validate", str(file)])
    ]
    frame.set_up(verbose=False)

    said = sinks.text()
    assert set(codes) == {frame.WRONG}
    assert "holds a password" in said
    assert canary not in said


def test_a_log_with_errors_of_others(sinks):
    """
    Canaries 45 to 48: a message, a nested exception, a URL and a key's value; in the JSON log and in the console's.
    """
    message, nested, inside, value = CANARIES[45:49]
    concealment.conceal(message, nested)
    for as_json in (True, False):
        written = StringIO()
        log.configure(stream=written, as_json=as_json)
        logger = log.get("door")
        error = StoreError(f"asked https://u:{inside}@h/")
        error.__cause__ = OSError(f"connecting with {nested}")
        logger.error("broke", text=f"said {message}", password=value, exc_info=error)
        said = written.getvalue()
        assert "broke" in said
        assert [c for c in (message, nested, inside, value) if c in said] == []


def test_command_lines_of_this_machine(sinks):
    """
    Canary 49: while a child of ours runs with a secret in its environment, nobody reads it by `ps`.
    """
    canary = CANARIES[49]
    chosen = Settings(
        state_dir=sinks.state, slot=49, database_url=f"postgresql://u:{canary}@h/db"
    )
    environment = programs.environment(chosen)
    assert canary in environment["FOURNINES_DATABASE_URL"]
    with subprocess.Popen(["sleep", "30"], env=environment) as child:
        try:
            mine = Path(f"/proc/{child.pid}/cmdline")
            # Until it is the other program, it is still a copy of this one.
            while not mine.read_bytes().startswith(b"sleep"):
                assert child.poll() is None
            lines = [
                path.read_bytes().decode(errors="replace")
                for path in Path("/proc").glob("[0-9]*/cmdline")
                if path.exists()
            ]
        finally:
            child.kill()

    assert any(line.startswith("sleep") for line in lines)
    assert [line for line in lines if canary in line] == []
