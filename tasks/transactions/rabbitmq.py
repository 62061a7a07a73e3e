"""
One transaction through a message bus' endpoint: publish a message, have it confirmed, and consume it. The only importer of pika.
"""

from __future__ import annotations

import logging
import secrets
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pika
import pika.exceptions
from pika.adapters.utils.connection_workflow import AMQPConnectorException

from blueprints.rabbitmq.topology import OPERATOR
from fournines.clock import Clock
from fournines.model.desired import Service
from fournines.model.inventory import Inventory
from fournines.model.transaction import Transaction
from tasks.operators.access import Access
from tasks.transactions.attempt import attempt

logging.getLogger("pika").setLevel(logging.CRITICAL)
"""It shows each failed handshake with a traceback, on people's terminals, before it raises what we say in a sentence."""

OPERATOR_KEPT_AS = "operator"
"""Under which name the store keeps the operator's password."""

QUEUE = "fournines-transactions"
ARGUMENTS = {
    "x-queue-type": "quorum",
    "x-max-length": 100,
    "x-overflow": "drop-head",
    "x-message-ttl": 60_000,
}
HEARTBEAT_SECONDS = 1
"""A node that hangs while it should confirm is given up after two of these."""


class BusTransactor:
    """
    `Transactor` for the `rabbitmq` template. A connection of its own for each try, on a quorum queue of the platform's own.
    """

    def __init__(self, access: Callable[[Service], Access], clock: Clock) -> None:
        self._access = access
        self._clock = clock

    def perform(
        self, service: Service, inventory: Inventory, *, timeout_seconds: float
    ) -> Transaction:
        def try_at(address: str) -> str:
            return self._tried(service, address, timeout_seconds)

        return attempt(service, inventory, self._clock, try_at)

    def _tried(self, service: Service, address: str, timeout_seconds: float) -> str:
        """
        What went wrong; empty when nothing did.
        """
        try:
            port = int(str(service.parameters["port"]))
            access = self._access(service)
            with connect(access, address, port, timeout_seconds) as connection:
                return _exchanged(connection, timeout_seconds, self._clock)
        except pika.exceptions.AMQPError as failed:
            return f"{type(failed).__name__} {failed}".strip()
        except (OSError, ssl.SSLError) as failed:
            return str(failed) or type(failed).__name__


@contextmanager
def connect(
    access: Access,
    address: str,
    port: int,
    timeout_seconds: float,
    *,
    login: tuple[str, str] | None = None,
    vhost: str = "/",
) -> Iterator[pika.BlockingConnection]:
    """
    A connection as an application has it: certificates verified, through the load balancer. `login`: name and password; None: the platform's own.

    Raises:
        AMQPError: It does not come about, or breaks.
        OSError: Nobody listens, or the network is gone.
    """
    user, password = login or (OPERATOR, access.secret(OPERATOR_KEPT_AS))
    context = ssl.create_default_context(cadata=access.ca)
    asked = pika.ConnectionParameters(
        host=address,
        port=port,
        virtual_host=vhost,
        credentials=pika.PlainCredentials(user, password),
        ssl_options=pika.SSLOptions(context, address),
        heartbeat=HEARTBEAT_SECONDS,
        socket_timeout=timeout_seconds,
        stack_timeout=timeout_seconds,
        blocked_connection_timeout=timeout_seconds,
        connection_attempts=1,
    )
    try:
        connection = pika.BlockingConnection(asked)
    except AMQPConnectorException as error:
        # pika lets its inner errors out where TLS or AMQP do not get done in time, and they are none of its own family.
        raise pika.exceptions.AMQPConnectionError(
            str(error) or type(error).__name__
        ) from error
    try:
        yield connection
    finally:
        if connection.is_open:
            connection.close()


def _exchanged(
    connection: pika.BlockingConnection, timeout_seconds: float, clock: Clock
) -> str:
    end = clock.monotonic() + timeout_seconds
    channel = connection.channel()
    channel.queue_declare(QUEUE, durable=True, arguments=ARGUMENTS)
    channel.confirm_delivery()
    word = secrets.token_hex(8).encode()
    channel.basic_publish(
        "",
        QUEUE,
        word,
        pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent),
        mandatory=True,
    )
    while clock.monotonic() < end:
        method, _, body = channel.basic_get(QUEUE, auto_ack=True)
        if method is not None and body == word:
            return ""
        if method is None:
            connection.sleep(0.01)
    return "what was confirmed could not be consumed in time"
