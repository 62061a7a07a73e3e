"""
What the simulated cloud's listeners, pools and security groups are set to, and people who set them otherwise.
"""

from __future__ import annotations

from fournines.cloud.simulated.records import LoadBalancerRecord
from fournines.cloud.simulated.scenario import InconsistentScenario
from fournines.cloud.simulated.world import World
from fournines.model import traits
from fournines.model.inventory import Inventory, LoadBalancer
from fournines.model.traits import Traits


def with_traits(world: World, seen: Inventory) -> Inventory:
    """
    An inventory, looked at closely.
    """
    guards = world.security_groups
    return seen.model_copy(
        update={
            "security_groups": tuple(
                one.model_copy(update={"rules": guards[one.name].let_in()})
                for one in seen.security_groups
            ),
            "load_balancers": tuple(
                _balancer(world.load_balancers[one.name], one)
                for one in seen.load_balancers
            ),
        }
    )


def _balancer(record: LoadBalancerRecord, seen: LoadBalancer) -> LoadBalancer:
    def told(name: str, whole: Traits) -> dict[str, Traits]:
        changed = {**whole, **record.tampered.get(name, {})}
        unasked = changed.get("check", "") is None
        kept = {k: v for k, v in changed.items() if not k.startswith("check_")}
        return {"traits": kept if unasked else changed}

    return seen.model_copy(
        update={
            "listeners": tuple(
                one.model_copy(
                    update=told(
                        one.name, traits.of_listener(record.listeners[one.name][1])
                    )
                )
                for one in seen.listeners
            ),
            "pools": tuple(
                one.model_copy(
                    update=told(one.name, traits.of_pool(record.pools[one.name].spec))
                )
                for one in seen.pools
            ),
        }
    )


def tamper(world: World, name: str, changes: Traits) -> None:
    """
    Somebody sets a listener or a pool otherwise, or a security group: `rules` is then what it lets in.

    Raises:
        InconsistentScenario: There is nothing of that name.
    """
    rules = changes.get("rules")
    if isinstance(rules, list) and name in world.security_groups:
        world.security_groups[name].tampered = tuple(str(rule) for rule in rules)
        return
    for balancer in world.load_balancers.values():
        if name in balancer.listeners or name in balancer.pools:
            balancer.tampered.setdefault(name, {}).update(changes)
            return
    raise InconsistentScenario(f"there is nothing to change of the name {name}")
