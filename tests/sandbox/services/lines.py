"""
How an application is connected to a deployed cache or bus: certificates verified, time-outs of seconds.
"""

from __future__ import annotations

import ssl
from typing import Any

import pika
import redis

from tests.sandbox.services.bus_and_cache import Deployed


def to_cache(deployed: Deployed) -> redis.Redis:
    """
    Through the endpoint that follows the primary.
    """
    return redis.Redis(
        host=deployed.address,
        port=6379,
        username="default",
        password=deployed.access.secret("password"),
        ssl=True,
        ssl_ca_data=deployed.access.ca,
        socket_timeout=2,
        socket_connect_timeout=2,
    )


def to_bus(deployed: Deployed) -> Any:
    """
    A channel that confirms.
    """
    context = ssl.create_default_context(cadata=deployed.access.ca)
    login = pika.PlainCredentials(*next(iter(deployed.access.logins("app").items())))
    connection = pika.BlockingConnection(
        pika.ConnectionParameters(
            deployed.address,
            5671,
            "main",
            credentials=login,
            heartbeat=6,
            socket_timeout=3,
            stack_timeout=5,
            blocked_connection_timeout=5,
            ssl_options=pika.SSLOptions(context, deployed.address),
        )
    )
    channel = connection.channel()
    channel.confirm_delivery()
    return channel
