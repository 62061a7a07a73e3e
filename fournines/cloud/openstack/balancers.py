"""
Load balancers with listeners, pools and health monitors: made in one call, brought up to date part by part, deleted whole.
"""

from __future__ import annotations

import contextlib
from typing import Any

from fournines.cloud.errors import (
    CloudRefused,
    FeatureMissing,
    RequestInvalid,
    ResourceFailed,
    ResourceMissing,
)
from fournines.cloud.openstack import balancing, marks
from fournines.cloud.openstack.base import log, until
from fournines.cloud.openstack.octavia import Octavia
from fournines.model.inventory import LoadBalancer
from fournines.model.specification import (
    ListenerSpec,
    LoadBalancerSpec,
    PoolSpec,
)

Body = dict[str, Any]


STOPPED = "FAILOVER_STOPPED"
"""An amphora's status when as many as the operator's threshold fell silent together."""


class Balancers(Octavia):
    """
    The part of the adapter that makes and deletes load balancers.
    """

    def ensure_load_balancer(
        self, spec: LoadBalancerSpec, *, deadline_seconds: float
    ) -> LoadBalancer:
        attempted = f"creating load balancer {spec.name}"
        with self.context.lock(spec.name):
            end = until(deadline_seconds)
            made = False

            def unit() -> Body:
                nonlocal made
                present = self.look_balancer(spec.name, spec.owner, attempted)
                if present and _beyond_use(present):
                    self._remove(present["id"], attempted, end)
                    present = None
                made = made or present is None
                return present or self._create(spec, attempted)

            number = self.retried(unit, until=end)["id"]
            body = self._arrived(number, attempted, end)
            if not made:
                self._bring_up_to_date(body, spec, attempted, end)
                body = self.await_active(number, attempted, end)
            self.remember(body)
            return self._read(body, attempted)

    def _create(self, spec: LoadBalancerSpec, attempted: str) -> Body:
        subnet = self.subnet_id(spec.network, attempted)
        measured = any(one.protocol == "PROMETHEUS" for one in spec.listeners)
        try:
            return self._post(balancing.creation(spec, subnet), attempted)
        except (FeatureMissing, RequestInvalid) as refused:
            if not measured:
                raise
            log.warning(
                "provider_without_metrics", load_balancer=spec.name, why=str(refused)
            )
            bare = balancing.creation(spec, subnet, prometheus=False)
            return self._post(bare, attempted)

    def _post(self, body: Body, attempted: str) -> Body:
        made: Body = self.octavia("POST", "loadbalancers", attempted, body)[
            "loadbalancer"
        ]
        return made

    def _arrived(self, number: str, attempted: str, end: float) -> Body:
        """
        Once it is ACTIVE; one that failed before it had members is deleted.
        """
        try:
            return self.await_active(number, attempted, end)
        except ResourceFailed:
            body = self.octavia("GET", f"loadbalancers/{number}", attempted)
            if _beyond_use(body["loadbalancer"]):
                self._remove(number, attempted, end)
            raise

    def _read(self, body: Body, attempted: str) -> LoadBalancer:
        number = body["id"]
        listeners, pools = self.connection.together(
            lambda: self.octavia_list("listeners", attempted, load_balancer_id=number),
            lambda: self.octavia_list("pools", attempted, loadbalancer_id=number),
        )
        for pool in pools:
            self.known.put("pool", f"{body['name']}/{pool['name']}", pool["id"])
        empty = [balancing.read_pool(pool, ()) for pool in pools]
        return balancing.read_load_balancer(body, listeners, empty)

    def _bring_up_to_date(
        self, body: Body, spec: LoadBalancerSpec, attempted: str, end: float
    ) -> None:
        number = body["id"]
        listeners, pools, monitors = self.together(
            lambda: self.octavia_list("listeners", attempted, load_balancer_id=number),
            lambda: self.octavia_list("pools", attempted, loadbalancer_id=number),
            lambda: self.octavia_list("healthmonitors", attempted),
        )
        change = _Change(self, number, attempted, end)
        by_id = {monitor["id"]: monitor for monitor in monitors}
        present = {pool["name"]: pool for pool in pools}
        ids = {
            one.name: change.pool(
                one,
                present.get(one.name),
                by_id.get((present.get(one.name) or {}).get("healthmonitor_id")),
            )
            for one in spec.pools
        }
        known = {listener["name"]: listener for listener in listeners}
        for listener in spec.listeners:
            change.listener(listener, known.pop(listener.name, None), ids)
        for extra in known.values():
            change.send("DELETE", f"listeners/{extra['id']}")
        for name in present.keys() - ids.keys():
            change.send("DELETE", f"pools/{present[name]['id']}")
        told = (marks.owner(body), marks.is_unmeasured(body))
        if told != (spec.owner, change.refused):
            # Last, since its digest says that everything before is done.
            mark = balancing.marking(spec.owner, unmeasured=change.refused)
            change.send("PUT", f"loadbalancers/{number}", mark)

    def failover_load_balancer(self, name: str, *, deadline_seconds: float) -> None:
        """
        Octavia's own failover, after whatever is pending. By default policy an administrator's right: others get RightsMissing.

        Octavia itself does not refuse a failover that it has stopped doing (FAILOVER_STOPPED: too many amphorae fell silent at once), so it is
        asked first. It tells whoever may fail over, by its default policies.
        """
        attempted = f"failing load balancer {name} over"
        with self.context.lock(name):
            end = until(deadline_seconds)
            body = self.retried(
                lambda: self.look_balancer(name, None, attempted), until=end
            )
            if body is None:
                raise ResourceMissing(attempted, f"there is no load balancer {name}")
            path = f"loadbalancers/{body['id']}"
            self._refuse_stopped(body["id"], attempted, end)
            # A change under way answers 409 until it has ended: it is waited for, never raced.
            self.persistently(
                lambda: self.octavia("PUT", f"{path}/failover", attempted), until=end
            )
            self.await_active(body["id"], attempted, end)

    def _refuse_stopped(self, number: str, attempted: str, end: float) -> None:
        """
        Raises CloudRefused when Octavia has stopped failing the load balancer over. Who may not read amphorae learns nothing, and neither
        does who has a provider without them.
        """

        def unit() -> list[Body]:
            return self.connection.listing(
                "load_balancer",
                "/octavia/amphorae",
                "amphorae",
                attempted,
                params={"loadbalancer_id": number},
            )

        try:
            found = self.retried(unit, until=end)
        except (CloudRefused, ResourceMissing):
            return
        stopped = [one["id"] for one in found if one.get("status") == STOPPED]
        if stopped:
            raise CloudRefused(
                attempted,
                f"Octavia has stopped failing over {len(stopped)} of its {len(found)} amphorae ({STOPPED}): too many fell silent at once",
                "Ask whoever runs the cloud; it goes on by itself when they are heard again",
            )

    def delete_load_balancer(self, name: str, *, deadline_seconds: float) -> None:
        attempted = f"deleting load balancer {name}"
        with self.context.lock(name):
            end = until(deadline_seconds)
            body = self.retried(
                lambda: self.look_balancer(name, None, attempted), until=end
            )
            if body:
                self._remove(body["id"], attempted, end)
            self.forget_balancer(name)

    def _remove(self, number: str, attempted: str, end: float) -> None:
        def gone() -> bool | None:
            try:
                body = self.octavia("GET", f"loadbalancers/{number}", attempted)
            except ResourceMissing:
                return True
            status = body["loadbalancer"]["provisioning_status"]
            if status in {"ACTIVE", "ERROR"}:
                self._cascade(number, attempted)
            return status == "DELETED" or None

        self.persistently(lambda: self._cascade(number, attempted), until=end)
        self.poll(attempted, end, gone)

    def _cascade(self, number: str, attempted: str) -> None:
        with contextlib.suppress(ResourceMissing):
            self.octavia("DELETE", f"loadbalancers/{number}", attempted, cascade="true")


class _Change:
    """
    Changes to the parts of one load balancer, one after the other.
    """

    def __init__(
        self, door: Balancers, number: str, attempted: str, end: float
    ) -> None:
        self._door = door
        self._number = number
        self._attempted = attempted
        self._end = end
        self.refused = False
        """The provider has no metrics listener."""

    def send(self, method: str, path: str, body: Body | None = None) -> Any:
        """
        One change, carried out.
        """
        return self._door.changed(
            self._number,
            self._attempted,
            self._end,
            lambda: self._door.octavia(method, path, self._attempted, body),
        )

    def pool(self, spec: PoolSpec, present: Body | None, watch: Body | None) -> str:
        """
        The pool and its health monitor as specified; its id.
        """
        if present is None:
            body = {
                **balancing.pool(spec),
                "protocol": spec.protocol,
                "loadbalancer_id": self._number,
            }
            present = self.send("POST", "pools", {"pool": body})["pool"]
        elif present["protocol"] != spec.protocol:
            raise RequestInvalid(
                self._attempted,
                f"pool {spec.name} speaks {present['protocol']}, "
                "which cannot be changed",
                "Give the new pool another name",
            )
        else:
            wanted = {**balancing.pool(spec), **balancing.AS_MADE}
            changes = balancing.differences(wanted, present)
            if changes:
                self.send("PUT", f"pools/{present['id']}", {"pool": changes})
        self._monitor(spec, present["id"], watch)
        return str(present["id"])

    def _monitor(self, spec: PoolSpec, pool: str, present: Body | None) -> None:
        if present and present["type"] != spec.health.kind:
            self.send("DELETE", f"healthmonitors/{present['id']}")
            present = None
        if present is None:
            body = {**balancing.monitor(spec), "pool_id": pool}
            self.send("POST", "healthmonitors", {"healthmonitor": body})
            return
        wanted = {**balancing.monitor_settings(spec.health), **balancing.AS_MADE}
        changes = balancing.differences(wanted, present)
        if changes:
            self.send(
                "PUT", f"healthmonitors/{present['id']}", {"healthmonitor": changes}
            )

    def listener(
        self, spec: ListenerSpec, present: Body | None, pools: dict[str, str]
    ) -> None:
        """
        The listener as specified. A metrics listener this provider cannot have is done without.
        """
        wanted, held = balancing.listener(spec), balancing.kept_listener(spec)
        if spec.pool:
            wanted["default_pool_id"] = held["default_pool_id"] = pools[spec.pool]
        fixed = (spec.protocol, spec.port)
        if present and (present["protocol"], present["protocol_port"]) != fixed:
            self.send("DELETE", f"listeners/{present['id']}")
            present = None
        if present is not None:
            changes = balancing.differences(held, present)
            if changes:
                self.send("PUT", f"listeners/{present['id']}", {"listener": changes})
            return
        body = {
            **balancing.said(wanted),
            "protocol": spec.protocol,
            "protocol_port": spec.port,
            "loadbalancer_id": self._number,
        }
        try:
            self.send("POST", "listeners", {"listener": body})
        except (FeatureMissing, RequestInvalid):
            if spec.protocol != "PROMETHEUS":
                raise
            self.refused = True


def _beyond_use(body: Body) -> bool:
    """
    In ERROR, and without a pool that has members: nobody loses anything when it is made anew.
    """
    return body["provisioning_status"] == "ERROR" and not body.get("pools")
