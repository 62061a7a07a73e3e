"""
Security groups: one read, at most one create, one bulk create of the rules that are missing, one delete per rule too many.
"""

from __future__ import annotations

from fournines.cloud.openstack import marks
from fournines.cloud.openstack.base import until
from fournines.cloud.openstack.neutron import Body, Neutron
from fournines.model.inventory import SecurityGroup
from fournines.model.specification import SecurityGroupSpec, SecurityRule, Transport
from fournines.model.traits import of_rule, rule_text


class SecurityGroups(Neutron):
    """
    The part of the adapter that makes and deletes security groups.
    """

    def ensure_security_group(
        self, spec: SecurityGroupSpec, *, deadline_seconds: float
    ) -> SecurityGroup:
        attempted = f"creating security group {spec.name}"
        return self.retried(
            lambda: self._security_group(spec, attempted),
            until=until(deadline_seconds),
        )

    def _security_group(self, spec: SecurityGroupSpec, attempted: str) -> SecurityGroup:
        body = self.look("security-groups", spec.name, spec.owner, attempted)
        if body is None:
            body = self.make(
                "security-groups",
                {"name": spec.name, "description": marks.described(spec.owner)},
                attempted,
            )
        self._rules(body, spec, attempted)
        self.tag("security-groups", body, spec.owner, attempted)
        return SecurityGroup(id=body["id"], name=spec.name, owner=spec.owner)

    def _rules(self, body: Body, spec: SecurityGroupSpec, attempted: str) -> None:
        """
        Bring the incoming rules to what the specification says; the outgoing ones are the cloud's default.
        """
        present = {
            rule_said(rule): rule["id"]
            for rule in body.get("security_group_rules", [])
            if rule["direction"] == "ingress"
        }
        wanted = {of_rule(rule): rule for rule in spec.rules}
        extra = set() if spec.additive else present.keys() - wanted.keys()
        for said in extra:
            self.remove("security-group-rules", present[said], attempted)
        missing = [wanted[said] for said in wanted if said not in present]
        if missing:
            rules = [_body(rule, body["id"]) for rule in missing]
            self.connection.send(
                "POST",
                "network",
                "/security-group-rules",
                attempted,
                body={"security_group_rules": rules},
            )

    def delete_security_group(self, name: str, *, deadline_seconds: float) -> None:
        attempted = f"deleting security group {name}"

        def unit() -> None:
            body = self.look("security-groups", name, None, attempted)
            if body:
                self.remove("security-groups", body["id"], attempted)

        # The ports of instances just deleted keep a group in use for a moment.
        self.persistently(unit, until=until(deadline_seconds))


RULE_FIELDS = (
    "security_group_id",
    "direction",
    "protocol",
    "port_range_min",
    "port_range_max",
    "remote_ip_prefix",
    "remote_group_id",
    "ethertype",
)
"""What says who may come in."""


def rule_said(rule: Body) -> str:
    """
    A rule for people, as `fournines.model.traits.of_rule` says those that were asked for.
    """
    group = rule.get("remote_group_id")
    said = rule_text(
        rule.get("protocol"),
        rule.get("port_range_min"),
        rule.get("port_range_max"),
        f"security group {group}" if group else rule.get("remote_ip_prefix"),
    )
    # We ask for IPv4 alone.
    return f"{said} by IPv6" if rule.get("ethertype") == "IPv6" else said


def _ports(rule: SecurityRule) -> tuple[int | None, int | None]:
    if rule.transport is Transport.ICMP or rule.port_min is None:
        return None, None
    return rule.port_min, rule.port_max or rule.port_min


def _body(rule: SecurityRule, group: str) -> Body:
    low, high = _ports(rule)
    return {
        "security_group_id": group,
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": rule.transport.value,
        "port_range_min": low,
        "port_range_max": high,
        "remote_ip_prefix": rule.remote_cidr,
    }
