"""
Secrets in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import RLock

from pydantic import SecretStr

from fournines.store.secret_protocol import Secret
from fournines.store.secrets_store import hide


class MemorySecrets:
    """
    `Secrets` in memory.
    """

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._kept: dict[tuple[str, str], list[Secret]] = {}

    def current(self, platform: str, name: str) -> Secret | None:
        with self._lock:
            found = self._kept.get((platform, name))
            return found[-1] if found else None

    def ensure(
        self, platform: str, name: str, make: Callable[[], str], *, at: datetime
    ) -> Secret:
        with self._lock:
            found = self.current(platform, name)
            return found or self.add(platform, name, make(), at=at)

    def add(self, platform: str, name: str, text: str, *, at: datetime) -> Secret:
        hide(text)
        with self._lock:
            kept = self._kept.setdefault((platform, name), [])
            made = Secret(
                platform=platform,
                name=name,
                version=kept[-1].version + 1 if kept else 1,
                content=SecretStr(text),
                made_at=at,
            )
            kept.append(made)
            return made

    def versions(self, platform: str) -> dict[str, int]:
        with self._lock:
            return {
                name: kept[-1].version
                for (owner, name), kept in self._kept.items()
                if owner == platform
            }

    def kept(self, platform: str, name: str) -> tuple[Secret, ...]:
        with self._lock:
            return tuple(reversed(self._kept.get((platform, name), [])))

    def forget_before(self, platform: str, name: str, version: int) -> int:
        with self._lock:
            kept = self._kept.pop((platform, name), [])
            staying = [one for one in kept if one.version >= version]
            if staying:
                self._kept[platform, name] = staying
            return len(kept) - len(staying)

    def hand_out(self, platform: str, name: str, version: int, *, at: datetime) -> bool:
        with self._lock:
            kept = self._kept.get((platform, name), [])
            for place, one in enumerate(kept):
                if one.version == version and one.handed_out_at is None:
                    kept[place] = one.model_copy(update={"handed_out_at": at})
                    return True
        return False

    def forget(self, platform: str, prefix: str = "") -> int:
        with self._lock:
            going = [
                key
                for key in self._kept
                if key[0] == platform and key[1].startswith(prefix)
            ]
            return sum(len(self._kept.pop(key)) for key in going)
