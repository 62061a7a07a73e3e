"""
The `rabbitmq` and `cache` templates: what they make of good parameters, and what they say of others.
"""

from __future__ import annotations

import pytest
import yaml

from blueprints import platform_file
from blueprints.catalogue import all_blueprints
from blueprints.compiling import compile_platform
from blueprints.problem import BlueprintError
from fournines.model import references

CATALOGUE = all_blueprints()


def compiled(blueprint, **parameters):
    """The only service of a platform."""
    text = yaml.safe_dump(
        {
            "platform": "demo",
            "services": {"svc": {"blueprint": blueprint, "parameters": parameters}},
        }
    )
    file = platform_file.from_text(text, "p.yaml")
    return compile_platform(file, CATALOGUE).services[0]


@pytest.mark.parametrize(
    ("blueprint", "parameters", "words"),
    [
        pytest.param(
            "rabbitmq",
            {
                "queues": [{"name": "paid"}],
                "bindings": [{"source": "orders", "destination": "paid"}],
            },
            "services.svc.parameters.bindings[0].source: there is no exchange 'orders' "
            "in vhost 'main'; declare it, or mend the name",
            id="a queue bound to an absent exchange",
        ),
        pytest.param(
            "rabbitmq",
            {"queues": [{"name": "paid", "arguments": {"x-max-lenght": 5}}]},
            "queues[0].arguments.x-max-lenght: a quorum queue has no such argument",
            id="an unknown argument",
        ),
        pytest.param(
            "rabbitmq",
            {"queues": [{"name": "paid", "typ": "stream"}]},
            "queues[0].typ: unknown key; did you mean 'type'?",
            id="an unknown setting of a queue",
        ),
        pytest.param(
            "rabbitmq",
            {"management_port": 5671},
            "management_port: is 5671, as AMQP's; give another",
            id="two doors on one port",
        ),
        pytest.param(
            "rabbitmq",
            {"count": 4},
            "parameters.count: 4 members stand no more losses than 3; take 3 or 5",
            id="an even quorum",
        ),
        pytest.param(
            "cache",
            {"count": 2},
            "parameters.count: 2 members decide nothing when one is lost; take 3, or 1",
            id="a quorum of two",
        ),
        pytest.param(
            "cache",
            {"evction": "allkeys-lru"},
            "parameters.evction: unknown parameter; did you mean 'eviction'?",
            id="an unknown setting",
        ),
        pytest.param(
            "cache",
            {"eviction": "allkeys-lfuu"},
            "eviction: 'allkeys-lfuu' is not one of ['noeviction', 'allkeys-lru'",
            id="an unknown policy",
        ),
        pytest.param(
            "cache",
            {"count": 1},
            "replicas_to_write: 1 replicas cannot keep up with 1 members",
            id="writes that wait for replicas there are not",
        ),
    ],
)
def test_bad_parameters_are_one_sentence(blueprint, parameters, words):
    """
    Said before anything is touched, at the place that is wrong.
    """
    with pytest.raises(BlueprintError) as caught:
        compiled(blueprint, **parameters)

    [line] = str(caught.value).splitlines()
    assert words in line


@pytest.mark.parametrize("blueprint", ["rabbitmq", "cache"])
def test_scaling_does_not_make_members_outdated(blueprint):
    """
    What members are told does not depend on how many there are: scaling out or in replaces nobody.
    """
    three, five = (compiled(blueprint, count=count).groups[0] for count in (3, 5))

    assert three.user_data == five.user_data


@pytest.mark.parametrize("blueprint", ["rabbitmq", "cache"])
def test_secrets_travel_as_references(blueprint):
    """
    No secret stands in what is planned; every file that needs one holds a reference, and user-data is small enough.
    """
    group = compiled(blueprint).groups[0]
    document = yaml.safe_load(group.user_data)
    sealed = {
        file["path"]
        for file in document["write_files"]
        if references.is_confidential(file["content"])
    }

    expected = {
        "rabbitmq": {"key.pem", "operator", "cookie", "rabbitmq.conf"},
        "cache": {"key.pem", "operator", "redis.conf", "sentinel.conf"},
    }[blueprint]
    assert {path.rpartition("/")[2] for path in sealed} == expected
    assert group.identity == "ordinal"


def test_a_cache_without_persistence_has_no_volumes():
    """
    A volume is made only for what is kept.
    """
    assert compiled("cache").groups[0].volume_size_gb is None
    assert compiled("cache", persistence="append").groups[0].volume_size_gb == 1
