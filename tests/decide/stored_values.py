"""
Values that the store's tests keep.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fournines.model.case import Case, CaseState, Subject
from fournines.model.desired import Group, Platform, Service
from fournines.model.ownership import Owner
from fournines.model.specification import NetworkSpec
from fournines.planning.plan import Plan, Purpose
from fournines.planning.steps import Drain
from fournines.store.protocol import AlertRecord

NOW = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)


def a_service(name: str = "shop", count: int = 2) -> Service:
    """
    A service of one group.
    """
    group = Group(name="web", count=count, image="i", flavor="f", network="demo-net")
    return Service(
        platform="demo",
        name=name,
        blueprint="web",
        blueprint_version="1",
        groups=(group,),
    )


def a_platform(*services: Service) -> Platform:
    """
    A platform of these services.
    """
    return Platform(
        name="demo",
        network=NetworkSpec(name="demo-network", owner=Owner(platform="demo")),
        services=services,
    )


def a_plan(purpose: Purpose = Purpose.DEPLOY, plan_id: str = "deploy-shop-1") -> Plan:
    """
    A plan of one step.
    """
    return Plan(
        id=plan_id,
        purpose=purpose,
        platform="demo",
        service="shop",
        made_at=NOW,
        steps=(Drain(id="drain/a", instance="a"),),
    )


def an_alert(key: str = "k1", status: str = "firing") -> AlertRecord:
    """
    An alert of the shop.
    """
    return AlertRecord(
        key=key,
        fingerprint=key,
        name="MemberErrors",
        status=status,
        labels={"platform": "demo", "service": "shop"},
        starts_at=NOW,
        received_at=NOW,
    )


def a_case(case_id: str = "case-1", state: CaseState = CaseState.OPEN) -> Case:
    """
    A case of the shop.
    """
    return Case(
        id=case_id,
        subject=Subject(platform="demo", service="shop", group="web", slot=1),
        opened_at=NOW,
        state=state,
    )
