"""
What a resource is set to, one by one, by the names of our own specifications: so that what somebody changed by hand is seen. Pure.

A cloud that does not tell of something leaves it out, and what is not told differs from nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import JsonValue

from fournines.model.specification import (
    HealthMonitorSpec,
    ListenerSpec,
    PoolSpec,
    SecurityRule,
    Transport,
)

Traits = dict[str, JsonValue]

ASKED_OVER_HTTP = frozenset({"HTTP", "HTTPS"})
"""Kinds of health check that ask for a page."""

ANYBODY = "0.0.0.0/0"


def of_listener(spec: ListenerSpec) -> Traits:
    """
    What a listener should be set to. PROMETHEUS listeners have no pool and no time-outs.
    """
    found: Traits = {
        "protocol": spec.protocol,
        "port": spec.port,
        "admin_up": True,
        "connection_limit": None,
        "allowed_cidrs": [*sorted(spec.allowed_cidrs)],
    }
    if spec.protocol != "PROMETHEUS":
        found |= {
            "pool": spec.pool,
            "timeout_client_data_ms": spec.timeout_client_data_ms,
            "timeout_member_connect_ms": spec.timeout_member_connect_ms,
            "timeout_member_data_ms": spec.timeout_member_data_ms,
        }
    return found


def of_pool(spec: PoolSpec) -> Traits:
    """
    What a pool and its health check should be set to.
    """
    return {
        "protocol": spec.protocol,
        "admin_up": True,
        "algorithm": spec.algorithm,
        "session_persistence": spec.session_persistence,
        **of_check(spec.health),
    }


def of_check(spec: HealthMonitorSpec) -> Traits:
    """
    What a pool's health check should be set to.
    """
    found: Traits = {
        "check": spec.kind,
        "check_admin_up": True,
        "check_delay_seconds": spec.delay_seconds,
        "check_timeout_seconds": spec.timeout_seconds,
        "check_rise": spec.rise,
        "check_fall": spec.fall,
    }
    if spec.kind in ASKED_OVER_HTTP:
        found |= {
            "check_method": spec.method,
            "check_path": spec.path,
            "check_expected_codes": spec.expected_codes,
        }
    return found


NO_CHECK: Traits = {"check": None}
"""A pool that asks no member how it is."""


def of_rule(rule: SecurityRule) -> str:
    """
    A security rule for people, and to be compared.
    """
    everywhere = rule.transport is Transport.ICMP or rule.port_min is None
    first = None if everywhere else rule.port_min
    last = None if everywhere else rule.port_max or rule.port_min
    return rule_text(rule.transport.value, first, last, rule.remote_cidr)


def rule_text(
    transport: str | None,
    port_min: int | None,
    port_max: int | None,
    source: str | None,
) -> str:
    """
    What may come in, in one clause, whoever made the rule.
    """
    ports = "" if port_min is None else f" {port_min}"
    ports += f"-{port_max}" if port_max not in {None, port_min} else ""
    whence = "anywhere" if source in {None, ANYBODY} else source
    return f"{transport or 'everything'}{ports} from {whence}"


def differing(wanted: Mapping[str, JsonValue], found: Mapping[str, JsonValue]) -> str:
    """
    What is set otherwise than it should be, for people; empty when nothing is.
    """
    return ", ".join(
        f"{key} is {_say(found[key])} and should be {_say(value)}"
        for key, value in wanted.items()
        if key in found and found[key] != value
    )


def rules_differing(wanted: Iterable[SecurityRule], found: Iterable[str] | None) -> str:
    """
    Which rules are missing and which are too many, for people; empty when neither, or when nobody looked.
    """
    if found is None:
        return ""
    should, here = {of_rule(rule) for rule in wanted}, set(found)
    return "; ".join(_rules_said(should - here, here - should))


def _rules_said(lacking: Iterable[str], extra: Iterable[str]) -> Iterator[str]:
    if missing := ", ".join(sorted(lacking)):
        yield f"it does not let in {missing}"
    if added := ", ".join(sorted(extra)):
        yield f"it lets in {added}, which nobody asked for"


def _say(value: JsonValue) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(str(one) for one in value)
    return str(value)
