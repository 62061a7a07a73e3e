"""
Our mark on Neutron's and Octavia's resources.

Neutron takes tags only in a second call. A process that dies between the two would leave a resource of ours that nobody knows
for ours, so the mark is also written into the description, in the create itself; tags follow, for people's filters.
"""

from __future__ import annotations

from typing import Any

from fournines.model.ownership import Owner

_ROLE = "fournines:role="
_UNMEASURED = "fournines:unmeasured=yes"


def described(owner: Owner, name: str = "") -> str:
    """
    The description that carries the mark; floating IPs, which have no name, carry that too.
    """
    return " ".join(part for part in (name, *owner.tags()) if part)


def of_balancer(owner: Owner, *, unmeasured: bool) -> dict[str, Any]:
    """
    A load balancer's mark; unmeasured: its provider refused the PROMETHEUS listener, and is not asked for it again and again.
    """
    tags = [*owner.tags(), *([_UNMEASURED] if unmeasured else [])]
    return {"description": described(owner), "tags": tags}


def is_unmeasured(body: dict[str, Any]) -> bool:
    """
    Whether a load balancer's provider refused the PROMETHEUS listener.
    """
    return _UNMEASURED in (body.get("tags") or ())


def owner(body: dict[str, Any]) -> Owner | None:
    """
    Whose a Neutron or Octavia resource is.
    """
    return Owner.from_tags(body.get("tags") or ()) or Owner.from_tags(
        str(body.get("description") or "").split()
    )


def of_role(role: str) -> str:
    """
    The description of a pool whose members answer in one role only.
    """
    return f"{_ROLE}{role}"


def role(body: dict[str, Any]) -> str | None:
    """
    The role of a pool's members; None: all do the same.
    """
    text = str(body.get("description") or "")
    return text.removeprefix(_ROLE) if text.startswith(_ROLE) else None


def described_name(body: dict[str, Any]) -> str:
    """
    The name kept in a description; empty when there is none.
    """
    first = str(body.get("description") or "").split(" ", 1)[0]
    return "" if "=" in first else first
