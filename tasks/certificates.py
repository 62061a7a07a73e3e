"""
Certificates of slots: kept in the store, issued anew when they are due, when they lack a name, or when a newer edition was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from blueprints.editions import counter
from fournines.model.validity import Validity, is_due
from fournines.trust import authority
from fournines.trust.authority import Pair
from tasks.workshop import Workshop

AUTHORITY = "@authority"
_SLOT = "@certificate/"
_LOCAL = ("localhost", "127.0.0.1")


def of_authority(workshop: Workshop, platform: str) -> Pair:
    """
    The platform's authority, founded at its first use.
    """
    now = workshop.clock.now()

    def found() -> str:
        return authority.found_authority(platform, now).model_dump_json()

    kept = workshop.store.secrets.ensure(platform, AUTHORITY, found, at=now)
    return Pair.model_validate_json(kept.text)


def of_slot(
    workshop: Workshop, platform: str, service: str, slot: str, also: Iterable[str]
) -> Pair:
    """
    A certificate that a slot's next instance may carry: the one it has, or a new one.
    """
    secrets, now = workshop.store.secrets, workshop.clock.now()
    # By the service's own name members know each other, whoever else of the platform has a certificate.
    names = {slot, f"{platform}-{service}", *also, *_LOCAL}
    kept = secrets.current(platform, f"{_SLOT}{slot}")
    edition = secrets.current(platform, counter(service))
    if kept is not None:
        pair = Pair.model_validate_json(kept.text)
        superseded = edition is not None and kept.made_at < edition.made_at
        due = is_due(authority.validity(pair.certificate), now)
        if not superseded and not due and names <= authority.names_of(pair.certificate):
            return pair
    signer = of_authority(workshop, platform)
    made = authority.issue(signer, slot, sorted(names), now)
    secrets.add(platform, f"{_SLOT}{slot}", made.model_dump_json(), at=now)
    return made


def validities(workshop: Workshop, platform: str) -> dict[str, Validity]:
    """
    From when to when the certificate of each slot holds.
    """
    secrets = workshop.store.secrets
    found = {}
    for name in secrets.versions(platform):
        kept = secrets.current(platform, name) if name.startswith(_SLOT) else None
        if kept is not None:
            pair = Pair.model_validate_json(kept.text)
            slot = name.removeprefix(_SLOT)
            found[slot] = authority.validity(pair.certificate)
    return found


def new_edition(workshop: Workshop, platform: str, service: str) -> int:
    """
    Certificates of this service made before now are to be replaced; the number of the edition.
    """
    now = workshop.clock.now()
    name = counter(service)
    return workshop.store.secrets.add(
        platform, name, f"asked for at {now.isoformat()}", at=now
    ).version


def is_superseded(workshop: Workshop, platform: str, service: str, slot: str) -> bool:
    """
    Whether a newer certificate than this slot's was asked for already: its instance only has to be rolled.
    """
    secrets = workshop.store.secrets
    kept = secrets.current(platform, f"{_SLOT}{slot}")
    edition = secrets.current(platform, counter(service))
    return edition is not None and (kept is None or kept.made_at < edition.made_at)
