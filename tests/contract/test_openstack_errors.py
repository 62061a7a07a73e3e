"""
How foreign errors become ours.
"""

from __future__ import annotations

import json

import pytest
from keystoneauth1 import exceptions as keystone
from openstack import exceptions as sdk

from fournines.cloud import errors
from fournines.cloud.openstack import translation

IMMUTABLE = {"faultstring": "Load Balancer 1 is immutable and cannot be updated."}
OVER_NOVA = {"forbidden": {"message": "Quota exceeded for instances"}}
OVER_NEUTRON = {"NeutronError": {"type": "OverQuota", "message": "Quota exceeded"}}
OVER_CINDER = {"overLimit": {"message": "VolumeLimitExceeded: quota"}}
IN_USE = {"NeutronError": {"type": "SecurityGroupInUse", "message": "in use"}}
LOCKED = {"conflictingRequest": {"message": "Instance 1 is locked"}}
NO_IMAGE = {"badRequest": {"message": "Can not find requested image"}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        pytest.param(401, {}, errors.CredentialsRefused, id="not-believed"),
        pytest.param(403, {}, errors.RightsMissing, id="may-not"),
        pytest.param(403, OVER_NOVA, errors.QuotaExceeded, id="nova-quota"),
        pytest.param(409, OVER_NEUTRON, errors.QuotaExceeded, id="neutron-quota"),
        pytest.param(413, OVER_CINDER, errors.QuotaExceeded, id="cinder-quota"),
        pytest.param(409, IMMUTABLE, errors.CloudBusy, id="octavia-immutable"),
        pytest.param(409, IN_USE, errors.CloudBusy, id="in-use-for-now"),
        pytest.param(409, LOCKED, errors.CloudRefused, id="locked"),
        pytest.param(429, {}, errors.CloudBusy, id="rate-limit"),
        pytest.param(404, {}, errors.ResourceMissing, id="missing"),
        pytest.param(400, NO_IMAGE, errors.RequestInvalid, id="bad-request"),
        pytest.param(501, {}, errors.FeatureMissing, id="provider-cannot"),
        pytest.param(500, {}, errors.CloudUnreachable, id="server-error"),
        pytest.param(503, {}, errors.CloudUnreachable, id="no-backend"),
    ],
)
def test_an_answer_means(status, body, kind):
    """
    Each service's way to say no becomes the one error that says what it means.
    """
    error = translation.from_response("doing", status, json.dumps(body))

    assert type(error) is kind
    assert error.attempted == "doing"


def test_people_read_the_service_s_own_sentence():
    """
    The message is dug out of whatever the service wrapped it in; HTML is shortened.
    """
    assert translation.message(json.dumps(OVER_NEUTRON)) == "Quota exceeded"
    assert translation.message(json.dumps(IMMUTABLE)) == IMMUTABLE["faultstring"]
    assert len(translation.message("<html>" * 1000)) == translation.MESSAGE_LENGTH_MAX


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (sdk.ConfigException("Cloud x was not found."), errors.CredentialsRefused),
        (keystone.Unauthorized("no"), errors.CredentialsRefused),
        (Exception("password is a required attribute"), errors.CredentialsRefused),
        (keystone.EndpointNotFound("none"), errors.FeatureMissing),
        (keystone.ConnectFailure("refused"), errors.CloudUnreachable),
        (keystone.SSLError("certificate"), errors.CloudUnreachable),
        (keystone.Forbidden("no"), errors.RightsMissing),
        (ValueError("no JSON"), errors.CloudUnreachable),
    ],
)
def test_an_exception_means(error, kind):
    """
    Each library's exception becomes one of ours, with what was attempted.
    """
    translated = translation.from_exception("doing", error)

    assert type(translated) is kind
    assert translated.attempted == "doing"
