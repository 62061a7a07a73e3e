"""
What can go wrong at the cloud's door. Every foreign error is translated here once.

    CloudError
    ├── CloudUnreachable      nobody answers, or the answer makes no sense (retried)
    ├── CloudBusy             an immutable state or a rate limit: 409, 429 (retried)
    ├── CloudRefused          the cloud understood and said no
    │   ├── CredentialsRefused    401, missing entry, expired secret
    │   ├── RightsMissing         403
    │   ├── QuotaExceeded         the project may not have more
    │   ├── CapacityMissing       no valid host
    │   ├── RequestInvalid        400: our mistake or a feature this cloud lacks
    │   ├── FeatureMissing        this cloud or provider cannot do it
    │   └── NameTaken             the name belongs to a resource that is not ours
    ├── ResourceMissing       what was named does not exist
    ├── ResourceFailed        it went to ERROR; carries the cloud's fault text
    └── DeadlinePassed        it did not get there in time
"""

from __future__ import annotations


class CloudError(Exception):
    """
    Something went wrong at the cloud's door.

    Attributes:
        attempted: What we were doing: "creating load balancer demo-shop-lb".
        remedy: What a person can do about it; may be empty.
    """

    def __init__(self, attempted: str, detail: str = "", remedy: str = "") -> None:
        super().__init__(attempted, detail, remedy)
        self.attempted = attempted
        self.detail = detail
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.attempted}: {self.detail}" if self.detail else self.attempted
        return f"{text.rstrip('.')}. {self.remedy}" if self.remedy else text


class CloudUnreachable(CloudError):
    """
    Nobody answers, or a 5xx; worth another try.
    """


class CloudBusy(CloudError):
    """
    Immutable for the moment, or rate-limited; worth another try.
    """


class CloudRefused(CloudError):
    """
    The cloud understood and said no.
    """


class CredentialsRefused(CloudRefused):
    """
    Who we say we are is not believed.
    """


class RightsMissing(CloudRefused):
    """
    We are known but may not.
    """


class QuotaExceeded(CloudRefused):
    """
    The project may not have more of this.
    """


class CapacityMissing(CloudRefused):
    """
    No host fits.
    """


class RequestInvalid(CloudRefused):
    """
    The request is wrong for this cloud.
    """


class FeatureMissing(CloudRefused):
    """
    This cloud, or this provider, cannot do it.
    """


class NameTaken(CloudRefused):
    """
    The name belongs to a resource that does not carry our mark.
    """


class ResourceMissing(CloudError):
    """
    What was named does not exist.
    """


class ResourceFailed(CloudError):
    """
    The resource went to ERROR; `detail` is the cloud's fault text.
    """


class DeadlinePassed(CloudError):
    """
    The resource did not get there in time.
    """
