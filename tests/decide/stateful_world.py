"""
A planned world in which one group is stateful: it has a view of itself, and it notices when its quorum is lost.
"""

from __future__ import annotations

from blueprints import lifecycles
from blueprints.diff import floors, plan_platform
from fournines.model.cluster import (
    ClusterMember,
    ClusterView,
    Role,
    Standing,
    majority,
)
from fournines.model.contents import Contents
from fournines.model.inventory import DEAD_STATUSES
from fournines.planning import linter
from tests.decide.planned_world import NOW, World, a_platform, with_groups

GROUP = ("shop", "web")


def a_stateful(count=3, image="debian-12", role=None):
    """
    The web service as a quorum.
    """
    platform = with_groups(
        a_platform(shop={"count": 1}, min_healthy=0),
        count=count,
        image=image,
        identity="ordinal",
        volume_size_gb=1,
    )
    service = platform.services[0].model_copy(update={"blueprint": lifecycles.QUORUM})
    if role is not None:
        group = service.groups[0]
        places = tuple(m.model_copy(update={"role": role}) for m in group.memberships)
        group = group.model_copy(update={"memberships": places})
        service = service.model_copy(update={"groups": (group,)})
    return platform.model_copy(update={"services": (service,)})


def slot_of(instance):
    """The slot in an instance's name."""
    return instance.rpartition("-g")[0]


class StatefulWorld(World):
    """
    A world whose instances are members of one cluster. A new one counts in full after its AwaitMember.
    """

    def __init__(self) -> None:
        super().__init__()
        self.known, self.whole = set(), set()
        self.leader = None
        self.fewest_spare = None
        self.contents = Contents()
        self.waiting, self.restarted = set(), []

    def alive(self):
        """Slots whose instance runs."""
        return {
            slot_of(i.name)
            for i in self.instances.values()
            if i.status not in DEAD_STATUSES and i.status != "BUILD"
        }

    def votes(self):
        """Members that vote."""
        return self.known & self.alive()

    def note(self):
        """Remember the worst: votes above the quorum."""
        if self.known:
            spare = len(self.votes()) - majority(len(self.known))
            worst = spare if self.fewest_spare is None else self.fewest_spare
            self.fewest_spare = min(worst, spare)

    def view(self):
        """What the cluster says of itself; None when nobody is there to say it."""
        if not self.votes():
            return None
        slots = sorted(self.known | {slot_of(n) for n in self.instances})
        return ClusterView(
            platform="demo",
            service="shop",
            group="web",
            at=NOW,
            members=tuple(self._member(slot) for slot in slots),
            voters=len(self.known),
            quorum=majority(len(self.known)),
            leader=self.leader,
        )

    def _member(self, slot):
        up, known = slot in self.votes(), slot in self.known
        return ClusterMember(
            slot_name=slot,
            role=Role.PRIMARY if slot == self.leader else Role.REPLICA,
            state=Standing.RUNNING
            if up
            else (Standing.STOPPED if known else Standing.ABSENT),
            in_sync=up and slot in self.whole,
            is_voter=known,
            votes=up,
            waits_for_restart=slot in self.waiting,
        )

    def plan(self, desired, **options):
        """A plan from what is, judged by the linter."""
        seen = self.view()
        plan = plan_platform(
            desired,
            self.inventory(),
            views={GROUP: seen} if seen else {},
            contents={GROUP: self.contents} if seen else {},
            **options,
        )
        linter.check(plan, self.inventory(), floors(desired))
        return plan

    def settled(self, desired):
        """Perform until nothing is left."""
        self.perform(self.plan(desired), watch=self.note)
        return self

    def fail_over(self):
        """Somebody who has everything leads."""
        heirs = sorted(self.votes() & self.whole)
        if self.leader not in heirs:
            self.leader = heirs[0] if heirs else None

    def _prepare_leave(self, step):
        assert step.instance in self.instances
        others = self.votes() & self.whole - {step.slot}
        if step.alone:
            assert len(self.known) == 1
            self.leader = None
        if self.leader == step.slot:
            assert others, "nobody could follow"
            self.leader = min(others)
        if step.for_good:
            self.known.discard(step.slot)

    def _await_member(self, step):
        assert step.slot in self.alive()
        self.known.add(step.slot)
        self.whole.add(step.slot)
        self.fail_over()

    def _forget_member(self, step):
        assert step.slot not in {slot_of(n) for n in self.instances}
        self.known.discard(step.slot)
        self.whole.discard(step.slot)

    def _apply_contents(self, step):
        assert step.changes == tuple(c.sentence() for c in self.contents.changes)
        if any(change.restarts for change in self.contents.changes):
            self.waiting = set(self.known)
        self.contents = Contents()

    def _restart_member(self, step):
        assert step.slot in self.alive()
        self.restarted.append((step.slot, step.slot == self.leader))
        self.waiting.discard(step.slot)
        self.whole.discard(step.slot)
        self.fail_over()

    def _delete_instance(self, step):
        super()._delete_instance(step)
        self.whole.discard(slot_of(step.instance))
        self.fail_over()
