"""
Desired x observed -> plan: rolls, volumes, and slots that keep their address.
"""

from fournines.model.refusal import Reason
from tests.decide.diff_world import POOL, SHOP, deployed, kinds, named, planned, reasons
from tests.decide.planned_world import World, a_platform, with_groups


def test_roll_takes_one_slot_after_the_other():
    """With surge 1 a slot begins when the old instance of the one before is gone."""
    world = deployed()
    plan = planned(with_groups(SHOP, image="debian-13"), world)
    makes = {s.spec.owner.slot: s for s in named(plan, "ensure-instance")}

    assert "delete-instance/demo-shop-web-0-g1" in makes[1].needs
    assert "delete-instance/demo-shop-web-1-g1" in makes[2].needs
    assert not makes[0].needs


def test_roll_with_surge_takes_several_slots_at_once():
    """With surge 2 the third slot waits for the first."""
    world = deployed()
    plan = planned(with_groups(SHOP, image="debian-13", surge=2), world)
    makes = {s.spec.owner.slot: s for s in named(plan, "ensure-instance")}

    assert not makes[1].needs
    assert makes[2].needs == ("delete-instance/demo-shop-web-0-g1",)


def test_interrupted_roll_goes_on_where_it_stopped():
    """A new generation that serves beside the old one: the old one goes."""
    newer = with_groups(SHOP, image="debian-13")
    world = deployed()
    plan = planned(newer, world)
    world.perform(plan, order=plan.steps[:3])
    again = planned(newer, world)

    assert "delete-instance/demo-shop-web-0-g1" in {s.id for s in again.steps}
    assert planned(newer, world.perform(again)).empty


def test_volumes_are_made_and_outlive_their_instances():
    """The replacement takes the slot's volume and stands in its zone."""
    data = with_groups(SHOP, volume_size_gb=1)
    world = deployed(data)
    zone = world.volumes["demo-shop-web-0"].zone
    world.lose("demo-shop-web-0-g1")
    plan = planned(data, world)

    assert not named(plan, "ensure-volume")
    (make,) = named(plan, "ensure-instance")
    assert (zone, ("demo-shop-web-0",)) == (make.spec.zone, make.spec.volumes)


def test_who_has_the_data_stays():
    """
    Of two instances in a slot the one with its volume is kept, though users are still sent to the other one.
    """
    data = with_groups(SHOP, volume_size_gb=1)
    world = deployed(data)
    world.change("demo-shop-web-0-g1", status="SHUTOFF")
    world.perform(planned(data, world))
    newer = world.instances["demo-shop-web-0-g2"]
    old = newer.model_copy(
        update={
            "id": "old",
            "name": "demo-shop-web-0-g1",
            "owner": newer.owner.model_copy(update={"generation": 1}),
        }
    )
    world.instances[old.name] = old
    pool = world.balancers["demo-shop-lb"].pool("demo-shop-web")
    members = tuple(
        m.model_copy(update={"name": old.name}) if m.name == newer.name else m
        for m in pool.members
    )
    world.put_pool(pool.model_copy(update={"members": members}))
    plan = planned(data, world)

    gone = {step.instance for step in named(plan, "delete-instance")}
    assert gone == {old.name}


def test_an_instance_without_its_volume_gets_it_back():
    """
    Somebody took the volume away: it is attached again, and nothing is made anew.
    """
    data = with_groups(SHOP, volume_size_gb=1)
    world = deployed(data)
    volume = world.volumes["demo-shop-web-0"]
    world.volumes["demo-shop-web-0"] = volume.model_copy(update={"attached_to": None})
    plan = planned(data, world)

    (ensure,) = named(plan, "ensure-instance")
    assert ensure.spec.name == "demo-shop-web-0-g1"
    assert not named(plan, "delete-instance")
    assert planned(data, world.perform(plan)).empty


def test_roll_with_volumes_lets_go_first():
    """An instance leaves its volume before the next one is made."""
    data = with_groups(SHOP, volume_size_gb=1)
    world = deployed(data)
    plan = planned(with_groups(data, image="debian-13"), world)

    for make in named(plan, "ensure-instance"):
        old = f"delete-instance/demo-shop-web-{make.spec.owner.slot}-g1"
        assert old in make.needs
    assert planned(with_groups(data, image="debian-13"), world.perform(plan)).empty


def test_roll_with_volumes_keeps_min_healthy():
    """Where all must stay healthy none may leave its volume."""
    data = a_platform(volume_size_gb=1, min_healthy=3, shop={"count": 3})
    plan = planned(with_groups(data, image="debian-13"), deployed(data))

    assert plan.empty
    assert reasons(plan) == [Reason.MIN_HEALTHY]


def test_lost_volume_is_made_anew():
    """A slot's volume that is gone is made again."""
    data = with_groups(SHOP, volume_size_gb=1)
    world = deployed(data)
    del world.volumes["demo-shop-web-1"]

    assert kinds(planned(data, world)) == ["ensure-volume"]


def test_broken_volume_keeps_its_slot_empty():
    """An instance is not made for a volume in error."""
    data = with_groups(SHOP, volume_size_gb=1)
    world = deployed(data)
    world.lose("demo-shop-web-0-g1")
    volume = world.volumes["demo-shop-web-0"]
    world.volumes["demo-shop-web-0"] = volume.model_copy(update={"status": "error"})
    plan = planned(data, world)

    assert not named(plan, "ensure-instance")
    assert reasons(plan) == [Reason.FAILED]


def test_volume_of_another_size_is_said_not_changed():
    """Sizes are not changed in place."""
    world = deployed(with_groups(SHOP, volume_size_gb=1))
    plan = planned(with_groups(SHOP, volume_size_gb=2), world)

    assert plan.empty
    assert reasons(plan) == [Reason.IMMUTABLE] * 3


ORDINAL = with_groups(SHOP, identity="ordinal")


def test_ports_of_a_group_come_before_its_first_instance():
    """Every instance of an ordinal group waits for every port, so that peers are known before any is made."""
    plan = planned(ORDINAL, World())
    ports = {step.id for step in named(plan, "ensure-port")}

    assert ports == {f"ensure-port/demo-shop-web-{n}" for n in range(3)}
    for make in named(plan, "ensure-instance"):
        assert ports <= set(make.needs)
        assert make.spec.port == make.spec.name.rpartition("-g")[0]


def test_an_ordinal_slot_keeps_its_address_through_a_roll():
    """The old instance goes first, and the new one has its address; the ports are never made again."""
    world = deployed(ORDINAL)
    before = {i.owner.slot: i.address for i in world.instances.values()}
    plan = planned(with_groups(ORDINAL, image="debian-13"), world)
    world.perform(plan)

    assert named(plan, "ensure-port") == []
    assert {i.owner.slot: i.address for i in world.instances.values()} == before
    assert {i.owner.generation for i in world.instances.values()} == {2}


def test_a_dead_instance_gives_its_address_back_before_the_next_one_comes():
    """What lies dead in an ordinal slot is deleted first."""
    world = deployed(ORDINAL)
    address = world.instances["demo-shop-web-1-g1"].address
    world.change("demo-shop-web-1-g1", status="SHUTOFF")
    plan = planned(ORDINAL, world)
    world.perform(plan)

    assert world.instances["demo-shop-web-1-g2"].address == address
    assert planned(ORDINAL, world).empty


def test_ports_go_with_their_slots():
    """Scaled in, the last slots lose instance and port; made cattle, all lose their ports after their instances."""
    world = deployed(ORDINAL)
    world.perform(planned(with_groups(ORDINAL, count=2), world))
    assert sorted(world.ports) == ["demo-shop-web-0", "demo-shop-web-1"]

    cattle = with_groups(ORDINAL, count=2, identity="cattle")
    world.perform(planned(cattle, world))
    assert world.ports == {}
    assert planned(cattle, world).empty


def test_a_group_that_becomes_ordinal_is_rolled():
    """An instance without its own port is outdated: only a new one can have the address."""
    world = deployed(SHOP)
    plan = planned(ORDINAL, world)
    world.perform(plan)

    assert len(named(plan, "ensure-instance")) == 3
    assert planned(ORDINAL, world).empty


def test_a_roll_cut_short_goes_on_with_whoever_does_not_serve():
    """A member that was silenced and not yet replaced is no reason to refuse the roll: it goes first."""
    pair = with_groups(a_platform(shop={"count": 2}, min_healthy=1), volume_size_gb=1)
    world = deployed(pair)
    world.set_member(POOL, "demo-shop-web-1-g1", weight=0)
    plan = planned(with_groups(pair, image="debian-13"), world)
    world.perform(plan)

    assert reasons(plan) == []
    assert sorted(world.serving(POOL)) == ["demo-shop-web-0-g2", "demo-shop-web-1-g2"]


def test_a_volume_in_a_zone_of_cinder_s_own_binds_nobody():
    """A cloud's volumes may all be in one zone that takes no instances: the next instance goes where the cloud likes."""
    free = with_groups(a_platform(shop={"count": 1}), zones=(), volume_size_gb=1)
    world = deployed(free)
    name = "demo-shop-web-0"
    world.volumes[name] = world.volumes[name].model_copy(update={"zone": "nova"})
    world.lose("demo-shop-web-0-g1")
    (make,) = named(planned(free, world), "ensure-instance")

    assert make.spec.zone is None
