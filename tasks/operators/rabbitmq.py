"""
RabbitMQ as an operator sees it: the management API of every member, and for what that has no word, the orders of the program beside it
(blueprints/rabbitmq/guest/member.py).

A node is called after its slot's address, which stays. One node's word counts when it sees a majority: a node that was cut off sees itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from blueprints.rabbitmq import reconciling, topology
from fournines import log
from fournines.clock import Clock
from fournines.model.cluster import (
    ClusterMember,
    ClusterView,
    Role,
    Standing,
    majority,
)
from fournines.model.contents import ContentChange
from fournines.model.desired import Service
from tasks.operators import (
    Cluster,
    ClusterRefused,
    ClusterSilent,
    places,
    rabbitmq_sight,
)
from tasks.operators.access import Access
from tasks.operators.http import Api, Login
from tasks.operators.rabbitmq_sight import Sight

MANAGEMENT_PORT, ORDERS_PORT = 15671, 15670
COMMAND_SECONDS = 110.0
"""RabbitMQ's command line starts a whole Erlang first, on a busy machine for many seconds."""

GIVEN_UP_SECONDS_MAX = 60.0
"""A node that froze is given up by the others when its net tick is over: about ten seconds here, a minute by RabbitMQ's own default."""

_QUEUE_COLUMNS = "name,vhost,type,members,online,leader"
Logins = Mapping[str, Mapping[str, str]]
"""By declared user: the names it logs in with, and their passwords."""

_LISTS = ("vhosts", "users", "permissions", "exchanges", "queues", "bindings")
_POLL_SECONDS = 0.5

_log = log.get("bus")


class RabbitOperator:
    """
    `Operator` for the `rabbitmq` template.

    Args:
        access: Gives a service's CA and credentials.
    """

    def __init__(self, access: Callable[[Service], Access], clock: Clock) -> None:
        self._access = access
        self._clock = clock

    # -- what it says of itself

    def view(self, cluster: Cluster) -> ClusterView:
        addresses = places.addresses(cluster)
        sight = self._sight(cluster)
        members = [
            rabbitmq_sight.member(sight, slot, cluster, addresses.get(slot))
            for slot in cluster.slot_names
        ]
        known = set(addresses.values())
        members += [
            ClusterMember(
                slot_name=f"{rabbitmq_sight.NODE}{address}",
                address=address,
                role=Role.PEER,
                state=Standing.RUNNING if node.get("running") else Standing.STOPPED,
                votes=bool(node.get("running")),
                detail="no slot of this group",
            )
            for address, node in sight.nodes.items()
            if address not in known
        ]
        leaders = Counter(
            rabbitmq_sight.address_of(q.get("leader")) for q in sight.quorum_queues
        )
        slots = {address: slot for slot, address in addresses.items()}
        busiest = [slots[a] for a, _ in leaders.most_common() if a in slots]
        return ClusterView(
            platform=cluster.service.platform,
            service=cluster.service.name,
            group=cluster.group.name,
            at=self._clock.now(),
            members=tuple(members),
            voters=len(sight.nodes),
            quorum=majority(len(sight.nodes)),
            leader=busiest[0] if busiest else None,
            problems=tuple(rabbitmq_sight.problems(sight, slots)),
            split=rabbitmq_sight.split(sight, slots),
        )

    def _sight(self, cluster: Cluster) -> Sight:
        """
        That of the first node that sees a majority of the nodes running.
        """
        said: list[str] = []
        api = self._api(cluster.service, MANAGEMENT_PORT)
        for slot, address in cluster.addresses().items():
            try:
                answer = api.order(address, "/api/nodes").json()
            except (ClusterSilent, ClusterRefused) as error:
                said.append(f"{slot}: {error.detail}")
                continue
            nodes = {rabbitmq_sight.address_of(node["name"]): node for node in answer}
            running = sum(1 for node in nodes.values() if node.get("running"))
            if running < majority(len(nodes)):
                said.append(f"{slot} sees {running} of {len(nodes)} nodes running")
                continue
            return Sight(nodes, self._queues(api, address))
        attempted = f"asking {cluster.label} about its nodes"
        raise ClusterSilent(attempted, "; ".join(said) or "no member has an address")

    def _queues(self, api: Api, address: str) -> tuple[Mapping[str, Any], ...] | None:
        try:
            answer = api.order(address, f"/api/queues?columns={_QUEUE_COLUMNS}")
        except (ClusterSilent, ClusterRefused):
            return None
        return tuple(answer.json())

    # -- coming and going

    def leave(self, cluster: Cluster, slot: str, *, deadline_seconds: float) -> None:
        address = cluster.address(slot)
        if address is None:
            return
        end = self._clock.monotonic() + deadline_seconds
        doing = f"draining {slot}"
        try:
            self._command(cluster, address, "/drain", doing, deadline_seconds)
        except ClusterSilent:
            if self._is_given_up(cluster, address, end):
                return
            raise
        while self._clock.monotonic() < end:
            led = [
                queue
                for queue in self._sight(cluster).quorum_queues
                if rabbitmq_sight.address_of(queue.get("leader")) == address
            ]
            if not led:
                return
            self._clock.sleep(_POLL_SECONDS)
        raise ClusterRefused(
            f"draining {slot}", f"it still leads {len(led)} queues, {led[0]['name']}"
        )

    def _is_given_up(self, cluster: Cluster, address: str, end: float) -> bool:
        """
        Whether the other nodes do without one that answers nobody, as they do some seconds after it froze: it leads nothing any more.
        """
        limit = min(end, self._clock.monotonic() + GIVEN_UP_SECONDS_MAX)
        while True:
            try:
                if address not in self._sight(cluster).running:
                    return True
            except ClusterSilent as silent:
                _log.info("others_silent", error=str(silent))
            if self._clock.monotonic() >= limit:
                return False
            self._clock.sleep(_POLL_SECONDS)

    def stay(self, cluster: Cluster, slot: str) -> None:
        address = cluster.address(slot)
        if address is not None:
            self._command(cluster, address, "/revive", f"reviving {slot}")

    def admitted(self, cluster: Cluster, slot: str) -> bool:
        address = cluster.address(slot)
        sight = self._sight(cluster)
        if address is None or address not in sight.running or sight.queues is None:
            return False
        if not rabbitmq_sight.lacking_here(sight, address):
            return True
        self._command(cluster, address, "/grow", f"growing queues onto {slot}")
        return False

    def remove(self, cluster: Cluster, slot: str) -> None:
        sight = self._sight(cluster)
        kept = {a for s, a in places.addresses(cluster).items() if s != slot}
        for address in sorted(set(sight.nodes) - kept - sight.running):
            helper = min(sight.running & kept, default=None)
            if helper is None:
                raise ClusterSilent(f"forgetting {slot}", "no member runs")
            self._command(
                cluster, helper, f"/forget/{address}", f"forgetting {address}"
            )

    def _command(
        self,
        cluster: Cluster,
        address: str,
        path: str,
        doing: str,
        seconds: float = COMMAND_SECONDS,
    ) -> None:
        api = self._api(cluster.service, ORDERS_PORT)
        api.order(
            address,
            path,
            method="POST",
            doing=doing,
            timeout_seconds=min(seconds, COMMAND_SECONDS),
        )

    # -- what it holds

    def apply(self, cluster: Cluster) -> tuple[str, ...]:
        api = self._api(cluster.service, MANAGEMENT_PORT)
        address = self._speaker(cluster, api)
        logins = self._logins(cluster.service)
        passwords = _passwords(logins)
        done = []
        for change in self._lacking(cluster, api, address, logins):
            body = dict(change.body)
            if change.password_of:
                body["password"] = passwords[change.password_of]
            api.order(
                address,
                change.path,
                method=change.method,
                body=body if change.method != "DELETE" else None,
                doing=f"making {change.said} in {cluster.label}",
            )
            done.append(change.said)
        return tuple(done)

    def drift(self, cluster: Cluster) -> tuple[ContentChange, ...]:
        api = self._api(cluster.service, MANAGEMENT_PORT)
        logins = self._logins(cluster.service)
        lacking = self._lacking(cluster, api, self._speaker(cluster, api), logins)
        return tuple(
            ContentChange(said=change.said, login=change.login) for change in lacking
        )

    def switchover(self, cluster: Cluster, to: str | None) -> str:
        raise ClusterRefused(
            f"switching {cluster.label} over to {to or 'another node'}",
            "a bus has no primary: each queue has a leader of its own, and a node that is to go is drained by the plan",
        )

    def restart(self, cluster: Cluster, slot: str) -> None:
        raise ClusterRefused(
            f"restarting {slot} of {cluster.label}",
            "a bus has no settings that wait for it: a change rolls its nodes",
        )

    def _logins(self, service: Service) -> Logins:
        """
        Of every declared user; read once, for a rotation may begin meanwhile.
        """
        access = self._access(service)
        users = topology.of(service.parameters).users
        return {user.name: access.logins(user.name) for user in users}

    def _lacking(
        self, cluster: Cluster, api: Api, address: str, logins: Logins
    ) -> tuple[reconciling.Change, ...]:
        wanted = topology.with_logins(topology.of(cluster.service.parameters), logins)
        seen = self._observed(api, address)
        opposed = reconciling.conflicts(wanted, seen)
        if opposed:
            raise ClusterRefused(
                f"declaring what {cluster.label} holds", "; ".join(opposed)
            )
        return reconciling.changes(wanted, seen, stale=_stale(seen, _passwords(logins)))

    def _speaker(self, cluster: Cluster, api: Api) -> str:
        """
        The address of a node that answers and sees a majority.
        """
        running = self._sight(cluster).running
        ours = [a for a in cluster.addresses().values() if a in running]
        answer: httpx.Response = api.ask_any(ours, "/api/whoami")
        return answer.request.url.host

    def _observed(self, api: Api, address: str) -> reconciling.Observed:
        lists = {
            name: tuple(api.order(address, f"/api/{name}").json()) for name in _LISTS
        }
        policies = tuple(api.order(address, "/api/policies").json())
        return reconciling.Observed(**lists, policies=policies)

    def _api(self, service: Service, port: int) -> Api:
        access = self._access(service)
        login = Login(topology.OPERATOR, access.secret("operator"))
        return Api(port, ca=access.ca, login=login)


def _passwords(logins: Logins) -> dict[str, str]:
    return {name: word for each in logins.values() for name, word in each.items()}


def _stale(seen: reconciling.Observed, passwords: Mapping[str, str]) -> frozenset[str]:
    """
    Who is there with another password than our store's.
    """
    return frozenset(
        name
        for body in seen.users
        if (name := str(body["name"])) in passwords
        and not reconciling.password_fits(body, passwords[name])
    )
