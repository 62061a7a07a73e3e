"""
What the Neutron parts share: looking up by name in our project, choosing among twins, tagging.
"""

from __future__ import annotations

import contextlib
from typing import Any

from fournines.cloud.errors import FeatureMissing, ResourceMissing
from fournines.cloud.openstack import marks
from fournines.cloud.openstack.base import Base, age, chosen
from fournines.model.ownership import Owner

Body = dict[str, Any]


class Neutron(Base):
    """
    The base of the parts that speak to Neutron.
    """

    def listed(self, resource: str, attempted: str, **filters: Any) -> list[Body]:
        """
        Resources of our project. `resource` is the collection's name in the API: "security-groups".
        """
        key = resource.replace("-", "_")
        found = self.connection.listing(
            "network",
            f"/{resource}",
            key,
            attempted,
            params={"project_id": self.connection.project_id, **filters},
        )
        return list(found)

    def look(
        self, resource: str, name: str, wanted: Owner | None, attempted: str
    ) -> Body | None:
        """
        Ours of that name, or None. Raises NameTaken.
        """
        return self.pick(
            resource, self.listed(resource, attempted, name=name), wanted, attempted
        )

    def pick(
        self, resource: str, found: list[Body], wanted: Owner | None, attempted: str
    ) -> Body | None:
        """
        Ours among resources of one name; twins of ours are deleted.
        """
        return chosen(
            found,
            owner_of=marks.owner,
            age_of=age,
            wanted=wanted,
            attempted=attempted,
            discard=lambda body: self.remove(resource, body["id"], attempted),
        )

    def make(self, resource: str, body: Body, attempted: str) -> Body:
        """
        One POST; the resource as it was made.
        """
        key = _singular(resource)
        answer: Body = self.connection.send(
            "POST", "network", f"/{resource}", attempted, body={key: body}
        )[key]
        return answer

    def change(self, resource: str, number: str, body: Body, attempted: str) -> Body:
        """
        One PUT; the resource as it became.
        """
        key = _singular(resource)
        answer: Body = self.connection.send(
            "PUT", "network", f"/{resource}/{number}", attempted, body={key: body}
        )[key]
        return answer

    def remove(self, resource: str, number: str, attempted: str) -> None:
        """
        One DELETE; what is gone is gone.
        """
        with contextlib.suppress(ResourceMissing):
            self.connection.send(
                "DELETE", "network", f"/{resource}/{number}", attempted
            )

    def tag(self, resource: str, body: Body, owner: Owner, attempted: str) -> None:
        """
        Bring a resource's tags to its owner's, if they differ. A cloud without tags has the description.
        """
        if set(body.get("tags") or ()) >= set(owner.tags()):
            return
        with contextlib.suppress(FeatureMissing, ResourceMissing):
            self.connection.send(
                "PUT",
                "network",
                f"/{resource}/{body['id']}/tags",
                attempted,
                body={"tags": list(owner.tags())},
            )


def _singular(resource: str) -> str:
    return resource.replace("-", "_").removesuffix("s")
