"""
What must be true of load balancers, volumes and clusters when all is over, beside what is asked of every slot.
"""

from __future__ import annotations

from collections import Counter

from fournines.cloud.simulated import reading
from fournines.model.desired import Platform
from tasks import membership
from tasks.workshop import Workshop
from tests.sim.town import PLATFORM, WatchedCloud, is_cluster, slots


def complaints(workshop: Workshop, cloud: WatchedCloud, asked: Platform) -> list[str]:
    """
    What is not as it should be, each in a sentence.
    """
    world = cloud.world
    found = [f"{b.name} is dead" for b in world.load_balancers.values() if b.dead]
    services = {service.name for service in asked.services}
    found += [
        f"{record.name} is left of a service that was destroyed"
        for kind in (world.instances, world.volumes, world.ports, world.load_balancers)
        for record in kind.values()
        if record.owner and record.owner.service not in services
    ]
    return [*found, *_volumes(cloud, asked), *_clusters(workshop, cloud, asked)]


def doubled(cloud: WatchedCloud, volume: str) -> str:
    """
    Whether a slot has more than this volume, in a sentence.
    """
    owner = cloud.world.volumes[volume].owner
    same = [v.name for v in cloud.world.volumes.values() if v.owner == owner]
    return f"{same} hold one slot's data" if len(same) > 1 else ""


def _volumes(cloud: WatchedCloud, asked: Platform) -> list[str]:
    """
    Each slot that keeps data has one volume, and it is with the slot's instance.
    """
    world, found = cloud.world, []
    owners = Counter(v.owner for v in world.volumes.values() if v.owner)
    found += [f"{owner} has {n} volumes" for owner, n in owners.items() if n > 1]
    names = {record.id: name for name, record in world.instances.items()}
    for slot, (service, _) in slots(asked).items():
        if service.groups[0].volume_size_gb is None:
            continue
        volume = world.volumes.get(slot)
        holder = names.get(volume.attached_to or "") if volume else None
        if holder is None or holder.rpartition("-g")[0] != slot:
            found.append(f"the volume of {slot} is with {holder}")
    return found


def _clusters(workshop: Workshop, cloud: WatchedCloud, asked: Platform) -> list[str]:
    """
    Nobody is left outside its cluster.
    """
    if not any(is_cluster(service) for service in asked.services):
        return []
    now = workshop.clock.now()
    inventory = reading.inventory(cloud.world, PLATFORM, None, now)
    seen = membership.views(workshop, asked, inventory)
    return [
        f"{service.name} does not say how it is"
        for service in asked.services
        if is_cluster(service) and (service.name, "web") not in seen
    ] + [
        f"{member.slot_name} is outside its cluster"
        for view in seen.values()
        for member in view.members
        if not member.settled
    ]
