"""
Certificates of slots: kept in the store, issued anew when they are due, when they lack a name, or when a newer edition was asked for.

An authority that comes to its end is replaced in two steps, so that nobody meets a certificate of one it does not know: first its successor is trusted
everywhere, later it signs.
"""

from __future__ import annotations

from collections.abc import Iterable

from blueprints.editions import TRUST, counter
from fournines.model.validity import Validity, is_due
from fournines.store.secret_protocol import Secret
from fournines.trust import authority
from fournines.trust.authority import Pair
from tasks.workshop import Workshop

AUTHORITY = "@authority"
_NEXT, _FORMER = "@authority/next", "@authority/former"
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


def trusted(workshop: Workshop, platform: str) -> str:
    """
    Whose certificates hold: the authority's, and while it is replaced its successor's or predecessor's as well.
    """
    secrets, now = workshop.store.secrets, workshop.clock.now()
    found = [of_authority(workshop, platform).certificate]
    coming, former = successor(workshop, platform), secrets.current(platform, _FORMER)
    if coming is not None:
        found.append(Pair.model_validate_json(coming.text).certificate)
    if former is not None and authority.validity(former.text).ends_at > now:
        found.append(former.text)
    return "".join(f"{text.strip()}\n" for text in dict.fromkeys(found))


def authority_is_due(workshop: Workshop, platform: str) -> bool:
    """
    Whether a platform has an authority, of whose time a third or less is left.
    """
    kept = workshop.store.secrets.current(platform, AUTHORITY)
    if kept is None:
        return False
    certificate = Pair.model_validate_json(kept.text).certificate
    return is_due(authority.validity(certificate), workshop.clock.now())


def successor(workshop: Workshop, platform: str) -> Secret | None:
    """
    The authority that is trusted already and does not sign yet.
    """
    secrets = workshop.store.secrets
    coming = secrets.current(platform, _NEXT)
    signing = secrets.current(platform, AUTHORITY)
    if coming is None or (signing is not None and coming.text == signing.text):
        return None
    return coming


def announce_successor(workshop: Workshop, platform: str) -> Secret:
    """
    The next authority, founded if there is none yet; instances that do not know it are outdated from now on.
    """
    secrets, now = workshop.store.secrets, workshop.clock.now()
    coming = successor(workshop, platform)
    if coming is None:
        made = authority.found_authority(platform, now)
        coming = secrets.add(platform, _NEXT, made.model_dump_json(), at=now)
    told = secrets.current(platform, TRUST)
    if told is None or told.made_at < coming.made_at:
        secrets.add(platform, TRUST, f"asked for at {now.isoformat()}", at=now)
    return coming


def promote_successor(workshop: Workshop, platform: str) -> None:
    """
    Have the next authority sign from now on. The one before is trusted until its own end, for what it signed.
    """
    secrets, now = workshop.store.secrets, workshop.clock.now()
    coming = successor(workshop, platform)
    if coming is None:
        return
    before = of_authority(workshop, platform).certificate
    former = secrets.current(platform, _FORMER)
    if former is None or former.text != before:
        secrets.add(platform, _FORMER, before, at=now)
    secrets.add(platform, AUTHORITY, coming.text, at=now)


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
