"""
The doctor: a finding for everything, never a traceback.
"""

from __future__ import annotations

import fake_openstack as fake
import pytest
import requests
import requests_mock

from fournines.cloud.doctor import Verdict, examine
from fournines.settings import Settings


def settings(tmp_path, text=None, cloud="fake"):
    """
    Settings with a clouds.yaml.
    """
    file = tmp_path / "clouds.yaml"
    file.write_text(fake.CLOUDS if text is None else text)
    return Settings(clouds_file=file, cloud=cloud, state_dir=tmp_path, slot=0)


def the(findings, name):
    """
    The finding of that name.
    """
    return next(one for one in findings if one.name == name)


@pytest.mark.parametrize(
    ("text", "cloud", "sentence"),
    [
        pytest.param(None, "other", "other", id="no-such-entry"),
        pytest.param("clouds: [", "fake", "not valid YAML", id="no-yaml"),
        pytest.param("a: 1", "fake", "no `clouds`", id="no-clouds"),
    ],
)
def test_a_bad_entry_is_the_only_finding(tmp_path, text, cloud, sentence):
    """
    Without a usable entry nothing else is asked; the sentence says what is wrong with it, and what to do.
    """
    (finding,) = examine(settings(tmp_path, text, cloud))

    assert finding.verdict is Verdict.FAIL
    assert sentence in finding.sentence
    assert finding.remedy


def test_a_broken_file_is_not_quoted(tmp_path):
    """
    A parser's message shows the line it stumbled over; ours does not, since it may hold a password.
    """
    text = "clouds:\n  fake:\n    auth: {password: hunter2"
    (finding,) = examine(settings(tmp_path, text))

    assert "hunter2" not in finding.sentence


def test_wrong_credentials_are_the_only_finding(mock, tmp_path):
    """
    Who is not believed is told so once; no other question makes sense then.
    """
    mock.post(f"{fake.KEYSTONE}/auth/tokens", status_code=401, json={})

    (finding,) = examine(settings(tmp_path))

    assert (finding.name, finding.verdict) == ("credentials", Verdict.FAIL)
    assert "clouds.yaml" in finding.remedy


def test_a_keystone_nobody_answers_at_is_said_at_once(mock, tmp_path):
    """
    An unreachable Keystone is one finding, after one try.
    """
    mock.get(fake.KEYSTONE, exc=requests.exceptions.ConnectionError("refused"))
    post = mock.post(
        f"{fake.KEYSTONE}/auth/tokens",
        exc=requests.exceptions.ConnectionError("refused"),
    )

    (finding,) = examine(settings(tmp_path))

    assert finding.verdict is Verdict.FAIL
    assert "auth_url" in finding.remedy
    assert post.call_count == 1


def test_what_one_question_meets_does_not_stop_the_others(mock, tmp_path):
    """
    A cloud whose answers fail or make no sense gets a finding per question.
    """
    mock.get(requests_mock.ANY, status_code=500)
    fake.answers(mock)
    mock.get(f"{fake.NOVA}/flavors/detail", json={"unexpected": 1})

    findings = examine(settings(tmp_path))

    assert the(findings, "credentials").verdict is Verdict.OK
    assert the(findings, "versions").verdict is Verdict.OK
    assert the(findings, "images").verdict is Verdict.FAIL
    assert the(findings, "flavors").verdict is Verdict.FAIL
    assert all(one.remedy for one in findings if one.verdict is not Verdict.OK)


@pytest.mark.parametrize(
    ("providers", "verdict"),
    [
        pytest.param(["amphora", "octavia"], Verdict.OK, id="amphora"),
        pytest.param(["ovn"], Verdict.WARN, id="tcp-only"),
    ],
)
def test_a_provider_that_measures_nothing_is_a_limit(
    mock, tmp_path, providers, verdict
):
    """
    OVN alone serves, with less to see; amphorae serve.
    """
    listed = [{"name": name, "description": ""} for name in providers]
    mock.get(f"{fake.LBAAS}/providers", json={"providers": listed})

    assert the(examine(settings(tmp_path)), "load balancer").verdict is verdict


@pytest.mark.parametrize(
    ("used", "verdict"), [(0, Verdict.OK), (7, Verdict.WARN)], ids=["room", "full"]
)
def test_too_little_room_is_said_with_numbers(mock, tmp_path, used, verdict):
    """
    A quota too small for a small web service is a warning that names what is short.
    """
    nova = {"maxTotalInstances": 10, "totalInstancesUsed": used}
    mock.get(f"{fake.NOVA}/limits", json={"limits": {"absolute": nova}})
    mock.get(f"{fake.CINDER}/limits", json={"limits": {"absolute": {}}})
    spare = {"limit": -1, "used": 0}
    nouns = ("floatingip", "network", "router", "security_group")
    mock.get(
        f"{fake.NET}/quotas/p1/details.json",
        json={"quota": dict.fromkeys(nouns, spare)},
    )
    mock.get(f"{fake.LBAAS}/quotas/p1", json={"quota": {"loadbalancer": -1}})
    mock.get(f"{fake.LBAAS}/loadbalancers", json={"loadbalancers": []})

    finding = the(examine(settings(tmp_path)), "quotas")

    assert finding.verdict is verdict
    assert ("instances 3 of 5" in finding.sentence) == (verdict is Verdict.WARN)


@pytest.mark.parametrize(
    ("date", "verdict"),
    [
        pytest.param("Thu, 01 Jan 2026 00:00:00 GMT", Verdict.FAIL, id="far-off"),
        pytest.param(None, Verdict.OK, id="not-told"),
    ],
)
def test_clocks_that_differ_are_found(mock, tmp_path, date, verdict):
    """
    A cloud that lives at another time is found by the Date of its answers.
    """
    headers = {"Date": date} if date else {}
    mock.get(f"{fake.NOVA}/", json={}, headers=headers)

    assert the(examine(settings(tmp_path)), "clock").verdict is verdict


@pytest.mark.parametrize(
    ("status", "verdict", "words"),
    [
        pytest.param(200, Verdict.OK, "shows us our containers", id="serves"),
        pytest.param(403, Verdict.WARN, "does not serve us", id="no-role"),
    ],
)
def test_an_object_store_that_does_not_serve_is_a_limit(
    mock, tmp_path, status, verdict, words
):
    """
    Backups need one; without it, or without a role in it, everything else can be deployed.
    """
    mock.get(f"{fake.SWIFT}/", status_code=status, json=[])

    finding = the(examine(settings(tmp_path)), "object store")

    assert finding.verdict is verdict
    assert words in finding.sentence
