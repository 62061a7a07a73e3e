"""
From what OpenStack says to our errors: the one place where foreign errors are read.

Services word the same trouble differently: a quota is a 403 at Nova, a 409 at Neutron, a 413 at Cinder, a 403 at Octavia.
"""

from __future__ import annotations

import json

from keystoneauth1 import exceptions as keystone
from openstack import exceptions as sdk

from fournines.cloud.errors import (
    CloudBusy,
    CloudError,
    CloudRefused,
    CloudUnreachable,
    CredentialsRefused,
    FeatureMissing,
    QuotaExceeded,
    RequestInvalid,
    ResourceMissing,
    RightsMissing,
)
from fournines.concealment import concealed

MESSAGE_LENGTH_MAX = 500
"""Fault texts are for people; some services answer with whole HTML pages."""

_QUOTA_WORDS = ("quota", "overlimit", "overquota")


def message(body: str) -> str:
    """
    The sentence meant for people in an error's body, whichever service wrote it.
    """
    body = concealed(body)
    try:
        content = json.loads(body)
    except ValueError:
        return " ".join(body.split())[:MESSAGE_LENGTH_MAX]
    found = _deepest(content)
    return (found or body)[:MESSAGE_LENGTH_MAX]


def _deepest(content: object) -> str:
    """
    The text under faultstring, message or detail, however deep it lies.
    """
    if not isinstance(content, dict):
        return ""
    for key in ("faultstring", "message", "detail", "title"):
        if isinstance(content.get(key), str) and content[key]:
            return str(content[key])
    return next((text for v in content.values() if (text := _deepest(v))), "")


def from_response(attempted: str, status: int, body: str) -> CloudError:
    """
    What an HTTP answer of 400 and more means.
    """
    text = message(body) or f"HTTP {status}"
    quota = any(word in body.lower() for word in _QUOTA_WORDS)
    if quota and status in {400, 403, 409, 413}:
        return QuotaExceeded(attempted, text, "Ask for more quota, or use less")
    if status == 409:
        if "locked" in text.lower() and "immutable" not in text.lower():
            return CloudRefused(attempted, text, "Whoever locked it may unlock it")
        return CloudBusy(attempted, text)
    if status >= 500 and status != 501:
        return CloudUnreachable(attempted, f"HTTP {status}: {text}")
    return _plain(attempted, status, text)


def _plain(attempted: str, status: int, text: str) -> CloudError:
    match status:
        case 401:
            return CredentialsRefused(
                attempted, text, "Check the entry in clouds.yaml; secrets expire"
            )
        case 403:
            return RightsMissing(
                attempted, text, "The user needs the role `member` in the project"
            )
        case 404:
            return ResourceMissing(attempted, text)
        case 408 | 413 | 429:
            return CloudBusy(attempted, text)
        case 405 | 501:
            return FeatureMissing(attempted, text)
    return RequestInvalid(attempted, text)


def from_exception(attempted: str, error: Exception) -> CloudError:
    """
    What an exception of the libraries below us means. Unknown ones are a broken answer: unreachable.
    """
    if isinstance(error, CloudError):
        return error
    if isinstance(error, keystone.HttpError | sdk.HttpException):
        status = getattr(error, "http_status", None) or getattr(
            error, "status_code", None
        )
        if status and not isinstance(error, keystone.Unauthorized):
            return from_response(attempted, int(status), str(error))
    if "is a required attribute" in str(error):
        # keystoneauth's plugins say this with a bare Exception.
        return CredentialsRefused(attempted, concealed(str(error)), _CHECK_ENTRY)
    for kinds, ours, remedy in _LIBRARY_ERRORS:
        if isinstance(error, kinds):
            return ours(attempted, _sentence(error), remedy)
    return CloudUnreachable(attempted, concealed(f"{type(error).__name__}: {error}"))


def _sentence(error: Exception) -> str:
    """
    What a library says, without the chain of its own causes.
    """
    text = " ".join(concealed(str(error)).split())
    return text.split(": HTTP", 1)[0][:MESSAGE_LENGTH_MAX]


_CHECK_ENTRY = "Check auth_url, user and secret of the entry in clouds.yaml"

_LIBRARY_ERRORS: tuple[
    tuple[tuple[type[Exception], ...], type[CloudError], str], ...
] = (
    (
        (sdk.ConfigException,),
        CredentialsRefused,
        "Name an entry of clouds.yaml with --cloud or FOURNINES_CLOUD",
    ),
    (
        (
            keystone.Unauthorized,
            keystone.MissingRequiredOptions,
            keystone.NoMatchingPlugin,
            keystone.AuthPluginException,
            keystone.AuthorizationFailure,
        ),
        CredentialsRefused,
        _CHECK_ENTRY,
    ),
    (
        (
            keystone.EndpointNotFound,
            sdk.EndpointNotFound,
            sdk.ServiceDisabledException,
        ),
        FeatureMissing,
        "The service is not in this cloud's catalogue",
    ),
    (
        (keystone.SSLError,),
        CloudUnreachable,
        "Set `cacert` in the entry in clouds.yaml",
    ),
    (
        (keystone.ConnectFailure, keystone.ConnectTimeout),
        CloudUnreachable,
        "Is the cloud up, and auth_url right?",
    ),
)
"""The first fitting line decides; the order is from the special to the general."""
