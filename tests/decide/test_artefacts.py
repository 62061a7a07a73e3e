"""
Artefacts: what instances run, and the sample application itself.
"""

import base64
import gzip
import http.client
import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time

import pytest
import yaml

from blueprints import artefact as artefacts
from blueprints.artefact import INLINE_BYTES_MAX, artefact, pack, pack_folder
from blueprints.compiling import compile_platform
from blueprints.platform_file import from_text, gather_artefacts
from blueprints.problem import ArtefactInvalid
from tests.decide.planned_world import CATALOGUE

SMALL = pack([("app.py", b"print('hello')\n", 0o644)])
LARGE = pack([("data", os.urandom(INLINE_BYTES_MAX), 0o644)])

PLATFORM = """\
platform: demo
services:
  shop:
    blueprint: web
    parameters: {artefact: "REFERENCE"}
"""


def user_data_for(reference, content):
    """The cloud-config of a service that runs an artefact."""
    file = from_text(PLATFORM.replace("REFERENCE", reference), "p.yaml")
    found = gather_artefacts(file, CATALOGUE, lambda _: content)
    service = compile_platform(file, CATALOGUE, found).services[0]
    return yaml.safe_load(service.groups[0].user_data)


def test_small_artefact_travels_in_user_data():
    """Byte for byte, with its sum checked before it is unpacked."""
    config = user_data_for("app.tar.gz", SMALL)
    files = {f["path"]: f for f in config["write_files"]}

    assert base64.b64decode(files["/srv/app.tar.gz"]["content"]) == SMALL
    assert artefact("x", SMALL).sha256 in files["/usr/local/lib/app-unpack"]["content"]


def test_large_artefact_is_fetched_by_the_instances():
    """From its URL, and not written into user-data."""
    config = user_data_for("https://example.org/a'b.tgz", LARGE)
    files = {f["path"]: f for f in config["write_files"]}

    assert "/srv/app.tar.gz" not in files
    assert (
        "'https://example.org/a%27b.tgz' /srv/app.tar.gz"
        in files["/usr/local/lib/app-unpack"]["content"]
    )


def test_user_data_does_what_boots_need():
    """No locale, no host keys, and the unit starts without blocking cloud-init."""
    config = user_data_for("app.tar.gz", SMALL)

    assert (config["locale"], config["ssh_genkeytypes"], config["ssh_deletekeys"]) == (
        False,
        [],
        False,
    )
    assert "systemctl start --no-block app.service" in config["runcmd"]


def member(name, **attributes):
    """A tarball with one odd member."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        for key, value in attributes.items():
            setattr(info, key, value)
        tar.addfile(info)
    return raw.getvalue()


@pytest.mark.parametrize(
    ("reference", "content", "said"),
    [
        pytest.param(
            "app.tar.gz", b"no archive", "is no gzipped tarball", id="no-archive"
        ),
        pytest.param("app.tar.gz", b"", "is no gzipped tarball", id="empty"),
        pytest.param(
            "app.tar.gz",
            SMALL[: len(SMALL) // 2],
            "is no gzipped tarball",
            id="cut-in-two",
        ),
        pytest.param(
            "app.tar.gz", LARGE, "put the tarball on a web server", id="too-large"
        ),
        pytest.param(
            "https://example.org/app.git",
            LARGE,
            "put the tarball on a web server",
            id="too-large-a-repository",
        ),
        pytest.param(
            "app.tar.gz", member("../etc/passwd"), "leads out of its folder", id="up"
        ),
        pytest.param(
            "app.tar.gz", member("/etc/passwd"), "leads out of its folder", id="root"
        ),
        pytest.param(
            "app.tar.gz",
            member("a", type=tarfile.SYMTYPE, linkname="../../etc"),
            "leads out of its folder",
            id="a-link-that-leads-out",
        ),
    ],
)
def test_bad_artefact(reference, content, said):
    """Told at its place in the platform file."""
    file = from_text(PLATFORM.replace("REFERENCE", reference), "p.yaml")
    with pytest.raises(ArtefactInvalid) as caught:
        gather_artefacts(file, CATALOGUE, lambda _: content)

    assert said in str(caught.value)
    assert str(caught.value).startswith("p.yaml:5: services.shop.parameters.artefact: ")


def test_archive_that_unpacks_into_a_full_disk():
    """A few kilobytes may hold gigabytes."""
    info = tarfile.TarInfo("zeros")
    info.size = artefacts.UNPACKED_BYTES_MAX + 1
    with pytest.raises(ArtefactInvalid, match="unpacks to more than"):
        artefact("bomb", gzip.compress(info.tobuf()))


def test_what_cannot_be_fetched_is_told():
    """The system's words, at the place in the file."""

    def fetch(_):
        raise OSError("nobody answers")

    file = from_text(PLATFORM.replace("REFERENCE", "a.tgz"), "p.yaml")
    with pytest.raises(ArtefactInvalid, match=r"p.yaml:5: .*a.tgz: nobody answers"):
        gather_artefacts(file, CATALOGUE, fetch)


def test_unknown_blueprints_need_no_artefact():
    """What compile will refuse is not fetched for."""
    file = from_text(PLATFORM.replace("blueprint: web", "blueprint: none"), "p.yaml")

    assert gather_artefacts(file, CATALOGUE, lambda _: SMALL) == {}


def test_packing_is_repeatable(tmp_path):
    """The same files give the same bytes, whenever and wherever; rubbish stays out."""
    for number, name in enumerate(("one", "two")):
        folder = tmp_path / name
        (folder / ".git").mkdir(parents=True)
        (folder / ".git" / "HEAD").write_text(name)
        (folder / "run.sh").write_text("#!/bin/sh\n")
        (folder / "run.sh").chmod(0o755)
        os.utime(folder / "run.sh", (number, number))

    packed = pack_folder(tmp_path / "one")
    assert packed == pack_folder(tmp_path / "two")
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert [(m.name, m.mode) for m in tar] == [("run.sh", 0o755)]


def test_folder_with_too_many_files(tmp_path):
    """An application is no archive of everything."""
    for number in range(artefacts.FILES_MAX + 1):
        (tmp_path / str(number)).touch()
    with pytest.raises(ArtefactInvalid, match="holds more than"):
        pack_folder(tmp_path)


def test_empty_folder_is_no_application(tmp_path):
    """There must be something to run."""
    with pytest.raises(ArtefactInvalid, match="is empty"):
        pack_folder(tmp_path)


@pytest.fixture
def sample(tmp_path):
    """The sample application, unpacked and running; gives its port and state directory."""
    with tarfile.open(fileobj=io.BytesIO(CATALOGUE["web"].sample)) as tar:
        tar.extractall(tmp_path)  # our own; Debian 12's Python 3.11.2 has no filter
    state = tmp_path / "state"
    state.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-I", "app.py"],
        cwd=tmp_path,
        env={
            "PORT": str(port),
            "SLOT": "demo-shop-web-0",
            "STATE_DIRECTORY": str(state),
        },
    )
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port, tmp_path
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def ask(port, path, method="GET"):
    """One request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_sample_application(sample):
    """It serves, counts what it serves, and its health goes as deep as its page."""
    port, folder = sample

    assert ask(port, "/")[0] == 200
    assert "demo-shop-web-0" in ask(port, "/")[1]
    assert ask(port, "/", "HEAD") == (200, "")
    assert ask(port, "/healthz") == (200, "ok\n")
    assert ask(port, "/slow?ms=1")[0] == 200
    assert ask(port, "/slow?ms=long")[0] == 500
    assert ask(port, "/none")[0] == 404
    (folder / "catalogue.json").unlink()
    assert ask(port, "/healthz")[0] == 500
    assert ask(port, "/")[0] == 500
    text = ask(port, "/metrics")[1]
    assert 'http_requests_total{code="200"} 4' in text
    assert 'http_requests_total{code="500"} 2' in text
    assert 'http_request_duration_seconds_bucket{le="+Inf"} 7' in text
