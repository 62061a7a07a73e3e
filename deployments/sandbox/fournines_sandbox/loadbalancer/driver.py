"""
Octavia's provider driver `fournines`.

Every request only marks its load balancer; the worker finds in the database what is to be done. What HAProxy in a
namespace cannot serve is refused here, before anything is written.
"""

from __future__ import annotations

from typing import Any

from octavia.common import constants
from octavia.db import api as database
from octavia.db import repositories
from octavia_lib.api.drivers import exceptions
from octavia_lib.api.drivers.data_models import UnsetType
from octavia_lib.api.drivers.provider_base import ProviderDriver
from octavia_lib.common import constants as lib_constants

from fournines_sandbox.loadbalancer import engine

_LISTENER_PROTOCOLS = (
    lib_constants.PROTOCOL_HTTP,
    lib_constants.PROTOCOL_HTTPS,
    lib_constants.PROTOCOL_TCP,
    lib_constants.PROTOCOL_PROMETHEUS,
)
_POOL_PROTOCOLS = (
    lib_constants.PROTOCOL_HTTP,
    lib_constants.PROTOCOL_HTTPS,
    lib_constants.PROTOCOL_PROXY,
    lib_constants.PROTOCOL_PROXYV2,
    lib_constants.PROTOCOL_TCP,
)
_MONITORS = (
    constants.HEALTH_MONITOR_HTTP,
    constants.HEALTH_MONITOR_HTTPS,
    constants.HEALTH_MONITOR_TCP,
    constants.HEALTH_MONITOR_TLS_HELLO,
)
_ALGORITHMS = (
    constants.LB_ALGORITHM_ROUND_ROBIN,
    constants.LB_ALGORITHM_LEAST_CONNECTIONS,
    constants.LB_ALGORITHM_SOURCE_IP,
)


class Provider(ProviderDriver):
    """
    What Octavia's API calls.
    """

    # -- the load balancer

    def create_vip_port(
        self,
        loadbalancer_id: str,
        project_id: str,
        vip_dictionary: dict[str, Any],
        additional_vip_dicts: list[dict[str, Any]] | None = None,
    ) -> None:
        """Leave the VIP's port to Octavia's own network driver."""
        raise exceptions.NotImplementedError(
            user_fault_string="The provider leaves the VIP's port to Octavia.",
            operator_fault_string="The provider leaves the VIP's port to Octavia.",
        )

    def loadbalancer_create(self, loadbalancer: Any) -> None:
        """Make a load balancer, with its whole tree if it comes with one."""
        if _given(loadbalancer.vip_sg_ids):
            _refuse("security groups on the VIP", "allowed_cidrs on the listeners")
        for listener in _items(loadbalancer.listeners):
            _check_listener(listener)
        for pool in _items(loadbalancer.pools):
            _check_pool(pool)
        engine.worker().mark(loadbalancer.loadbalancer_id)

    def loadbalancer_delete(self, loadbalancer: Any, cascade: bool = False) -> None:
        """Delete a load balancer; Octavia refuses one with children unless it cascades."""
        engine.worker().mark(loadbalancer.loadbalancer_id)

    def loadbalancer_failover(self, loadbalancer_id: str) -> None:
        """Replace the HAProxy, as a new amphora would."""
        engine.worker().mark(loadbalancer_id, fresh=True)

    def loadbalancer_update(self, old_loadbalancer: Any, new_loadbalancer: Any) -> None:
        """Change a load balancer."""
        engine.worker().mark(old_loadbalancer.loadbalancer_id)

    # -- listeners

    def listener_create(self, listener: Any) -> None:
        """Add a listener."""
        _check_listener(listener)
        engine.worker().mark(listener.loadbalancer_id)

    def listener_delete(self, listener: Any) -> None:
        """Remove a listener."""
        engine.worker().mark(listener.loadbalancer_id)

    def listener_update(self, old_listener: Any, new_listener: Any) -> None:
        """Change a listener."""
        _check_listener(new_listener)
        engine.worker().mark(old_listener.loadbalancer_id)

    # -- pools, members, health monitors

    def pool_create(self, pool: Any) -> None:
        """Add a pool."""
        _check_pool(pool)
        engine.worker().mark(pool.loadbalancer_id)

    def pool_delete(self, pool: Any) -> None:
        """Remove a pool with its members and its monitor."""
        engine.worker().mark(pool.loadbalancer_id)

    def pool_update(self, old_pool: Any, new_pool: Any) -> None:
        """Change a pool."""
        _check_pool(new_pool)
        engine.worker().mark(old_pool.loadbalancer_id)

    def member_create(self, member: Any) -> None:
        """Add a member."""
        _mark_pool(member.pool_id)

    def member_delete(self, member: Any) -> None:
        """Remove a member."""
        _mark_pool(member.pool_id)

    def member_update(self, old_member: Any, new_member: Any) -> None:
        """Change a member."""
        _mark_pool(old_member.pool_id)

    def member_batch_update(self, pool_id: str, members: list[Any]) -> None:
        """Change all members of a pool at once."""
        _mark_pool(pool_id)

    def health_monitor_create(self, healthmonitor: Any) -> None:
        """Add a pool's monitor."""
        _check_monitor(healthmonitor)
        _mark_pool(healthmonitor.pool_id)

    def health_monitor_delete(self, healthmonitor: Any) -> None:
        """Remove a pool's monitor."""
        _mark_pool(healthmonitor.pool_id)

    def health_monitor_update(self, old_healthmonitor: Any, new_healthmonitor: Any) -> None:
        """Change a pool's monitor."""
        _mark_pool(old_healthmonitor.pool_id)

    # -- layer 7

    def l7policy_create(self, l7policy: Any) -> None:
        """Add a policy to a listener."""
        _mark_listener(l7policy.listener_id)

    def l7policy_delete(self, l7policy: Any) -> None:
        """Remove a policy."""
        _mark_listener(l7policy.listener_id)

    def l7policy_update(self, old_l7policy: Any, new_l7policy: Any) -> None:
        """Change a policy."""
        _mark_listener(old_l7policy.listener_id)

    def l7rule_create(self, l7rule: Any) -> None:
        """Add a rule to a policy."""
        _mark_policy(l7rule.l7policy_id)

    def l7rule_delete(self, l7rule: Any) -> None:
        """Remove a rule."""
        _mark_policy(l7rule.l7policy_id)

    def l7rule_update(self, old_l7rule: Any, new_l7rule: Any) -> None:
        """Change a rule."""
        _mark_policy(old_l7rule.l7policy_id)


def _check_listener(listener: Any) -> None:
    if _given(listener.protocol) and listener.protocol not in _LISTENER_PROTOCOLS:
        _refuse(f"the listener protocol {listener.protocol}", "HTTP, HTTPS (passed through) or TCP")
    if _given(listener.default_tls_container_ref) or _given(listener.sni_container_refs):
        _refuse("TLS termination", "HTTPS, which is passed through to the members")
    if _given(listener.default_pool):
        _check_pool(listener.default_pool)


def _check_pool(pool: Any) -> None:
    if _given(pool.protocol) and pool.protocol not in _POOL_PROTOCOLS:
        _refuse(f"the pool protocol {pool.protocol}", "HTTP, HTTPS, TCP, PROXY or PROXYV2")
    if _given(pool.lb_algorithm) and pool.lb_algorithm not in _ALGORITHMS:
        _refuse(f"the algorithm {pool.lb_algorithm}", ", ".join(_ALGORITHMS))
    if pool.tls_enabled is True:
        _refuse("TLS to the members", "HTTPS, which is passed through to the members")
    if _given(pool.healthmonitor):
        _check_monitor(pool.healthmonitor)


def _check_monitor(monitor: Any) -> None:
    if _given(monitor.type) and monitor.type not in _MONITORS:
        _refuse(f"the health monitor type {monitor.type}", ", ".join(_MONITORS))


def _given(value: Any) -> bool:
    return not isinstance(value, UnsetType) and bool(value)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _refuse(what: str, instead: str) -> None:
    sentence = f"The provider fournines does not support {what}; use {instead}."
    raise exceptions.UnsupportedOptionError(
        user_fault_string=sentence, operator_fault_string=sentence
    )


def _mark_pool(pool_id: str) -> None:
    _mark(repositories.PoolRepository(), pool_id)


def _mark_listener(listener_id: str) -> None:
    _mark(repositories.ListenerRepository(), listener_id)


def _mark_policy(policy_id: str) -> None:
    session = database.get_session()
    with session.begin():
        policy = repositories.L7PolicyRepository().get_orm(session, id=policy_id)
        listener_id = policy.listener_id
    _mark_listener(listener_id)


def _mark(repository: Any, identifier: str) -> None:
    # Not the request's own session: its objects are locked, but the parents it names were committed long ago.
    session = database.get_session()
    with session.begin():
        load_balancer_id = repository.get_orm(session, id=identifier).load_balancer_id
    engine.worker().mark(load_balancer_id)
