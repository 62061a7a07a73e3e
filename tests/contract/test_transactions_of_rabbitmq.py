"""
The bus' transaction where nobody answers as a bus does: it fails in few words, whatever pika makes of that.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pika.exceptions
import pytest

from tasks.transactions import rabbitmq
from tests.contract.members import access


@pytest.fixture
def silent() -> Iterator[int]:
    """
    A port where connections are taken, and nobody says a word: a node that hangs.
    """
    with socket.create_server(("127.0.0.1", 0)) as door:
        yield door.getsockname()[1]


def test_a_bus_that_says_nothing_is_an_error_of_pikas_own_family(silent):
    """
    Whoever uses the line expects pika's errors: what comes of an unfinished handshake is one of them, too.
    """
    with (
        pytest.raises((pika.exceptions.AMQPError, OSError)),
        rabbitmq.connect(access(), "127.0.0.1", silent, 0.3),
    ):
        pass
