"""
The registry: what was asked for, and what was made for it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from fournines.model.desired import Platform, Service
from fournines.store.database import Database
from fournines.store.documents import parsed
from fournines.store.protocol import PAST_MAX, PastService
from fournines.store.tables import past_services, platforms, resources, services


class SqlRegistry:
    """
    `Registry` on a database. A platform's services are rows of their own, so that two deploys of different services never overwrite each other.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put_platform(self, platform: Platform, *, at: datetime) -> None:
        with self._database.writing(f"recording platform {platform.name}") as db:
            self._put_shared(db, platform, at)
            for service in platform.services:
                self._keep_past(db, service, at)
            db.execute(delete(services).where(services.c.platform == platform.name))
            for position, service in enumerate(platform.services):
                db.execute(services.insert().values(**_row(service, position, at)))

    def _put_shared(self, db: Connection, platform: Platform, at: datetime) -> None:
        document = platform.model_copy(update={"services": ()}).model_dump_json()
        statement = self._database.insert(platforms).values(
            name=platform.name, document=document, at=at
        )
        db.execute(
            statement.on_conflict_do_update(
                index_elements=["name"], set_={"document": document, "at": at}
            )
        )

    def platform(self, name: str) -> Platform | None:
        found = (p for p in self.platforms() if p.name == name)
        return next(found, None)

    def platforms(self) -> tuple[Platform, ...]:
        with self._database.reading("reading the platforms") as db:
            shared = db.execute(
                select(platforms.c.document).order_by(platforms.c.name)
            ).scalars()
            rows = db.execute(
                select(services.c.platform, services.c.document).order_by(
                    services.c.position, services.c.name
                )
            ).all()
            bare = [parsed(Platform, text) for text in shared]
        return tuple(
            platform.model_copy(
                update={
                    "services": tuple(
                        parsed(Service, row.document)
                        for row in rows
                        if row.platform == platform.name
                    )
                }
            )
            for platform in bare
        )

    def put_service(self, service: Service, *, at: datetime) -> None:
        with self._database.writing(f"recording service {service.name}") as db:
            self._keep_past(db, service, at)
            last = db.execute(
                select(func.max(services.c.position)).where(
                    services.c.platform == service.platform
                )
            ).scalar()
            row = _row(service, 0 if last is None else last + 1, at)
            db.execute(
                self._database.insert(services)
                .values(**row)
                .on_conflict_do_update(
                    index_elements=["platform", "name"],
                    set_={"document": row["document"], "at": at},
                )
            )

    def _keep_past(self, db: Connection, service: Service, at: datetime) -> None:
        """
        Keep what is about to be replaced, if it is something else.
        """
        mine = (services.c.platform == service.platform) & (
            services.c.name == service.name
        )
        before = db.execute(select(services.c.document).where(mine)).scalar()
        if before is None or before == service.model_dump_json():
            return
        db.execute(
            past_services.insert().values(
                platform=service.platform,
                name=service.name,
                document=before,
                until=at,
            )
        )
        kept = (
            select(past_services.c.number)
            .where(
                past_services.c.platform == service.platform,
                past_services.c.name == service.name,
            )
            .order_by(past_services.c.number.desc())
            .limit(PAST_MAX)
        )
        numbers = db.execute(kept).scalars().all()
        db.execute(
            delete(past_services).where(
                past_services.c.platform == service.platform,
                past_services.c.name == service.name,
                past_services.c.number < min(numbers),
            )
        )

    def past(self, platform: str, service: str) -> tuple[PastService, ...]:
        with self._database.reading(f"reading what {service} was") as db:
            rows = db.execute(
                select(past_services.c.document, past_services.c.until)
                .where(
                    past_services.c.platform == platform,
                    past_services.c.name == service,
                )
                .order_by(past_services.c.number.desc())
            ).all()
        return tuple(
            PastService(service=parsed(Service, row.document), until=row.until)
            for row in rows
        )

    def remove_service(self, platform: str, service: str) -> None:
        with self._database.writing(f"removing service {service}") as db:
            db.execute(
                delete(services).where(
                    services.c.platform == platform, services.c.name == service
                )
            )

    def remove_platform(self, name: str) -> None:
        with self._database.writing(f"removing platform {name}") as db:
            db.execute(delete(services).where(services.c.platform == name))
            db.execute(delete(platforms).where(platforms.c.name == name))

    def record_resource(
        self, platform: str, kind: str, name: str, cloud_id: str, *, at: datetime
    ) -> None:
        with self._database.writing(f"recording {kind} {name}") as db:
            db.execute(
                self._database.insert(resources)
                .values(
                    platform=platform, kind=kind, name=name, cloud_id=cloud_id, at=at
                )
                .on_conflict_do_update(
                    index_elements=["platform", "kind", "name"],
                    set_={"cloud_id": cloud_id, "at": at},
                )
            )

    def forget_resource(self, platform: str, kind: str, name: str) -> None:
        with self._database.writing(f"forgetting {kind} {name}") as db:
            db.execute(
                delete(resources).where(
                    resources.c.platform == platform,
                    resources.c.kind == kind,
                    resources.c.name == name,
                )
            )

    def resources(self, platform: str) -> tuple[tuple[str, str, str], ...]:
        with self._database.reading(f"reading what {platform} made") as db:
            rows = db.execute(
                select(resources.c.kind, resources.c.name, resources.c.cloud_id)
                .where(resources.c.platform == platform)
                .order_by(resources.c.kind, resources.c.name)
            ).all()
        return tuple((row.kind, row.name, row.cloud_id) for row in rows)


def _row(service: Service, position: int, at: datetime) -> dict[str, object]:
    return {
        "platform": service.platform,
        "name": service.name,
        "position": position,
        "document": service.model_dump_json(),
        "at": at,
    }
