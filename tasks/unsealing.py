"""
Withdrawing the key of an instance's sealed files from the cloud's API, once the instance has opened them.
"""

from __future__ import annotations

from datetime import timedelta

from fournines.cloud.errors import CloudError, DeadlinePassed
from fournines.model import sealing
from fournines.planning.steps import WithdrawKey
from tasks.workshop import Workshop

_LOOK_SECONDS = 1.0
_CONSOLE_LINES = 2_000


def withdraw(step: WithdrawKey, workshop: Workshop) -> None:
    """
    Take the key away. An instance that serves has opened its files; one that nobody can ask says so on its console.

    Raises:
        DeadlinePassed: It did not say so in time; the key stays, and the next plan asks again.
        CloudError: The cloud could not.
    """
    if not step.serves:
        _await_word(step, workshop)
    workshop.cloud.withdraw_metadata(
        step.instance, sealing.KEY, deadline_seconds=step.deadline_seconds
    )


def _await_word(step: WithdrawKey, workshop: Workshop) -> None:
    clock = workshop.clock
    end = clock.now() + timedelta(seconds=step.deadline_seconds)
    while sealing.UNSEALED not in _console(step.instance, workshop):
        if clock.now() >= end:
            raise DeadlinePassed(
                f"withdrawing the key of {step.instance}",
                "it has not said on its console that its sealed files are open",
                "`openstack console log show` says what its first boot is at",
            )
        clock.sleep(_LOOK_SECONDS)


def _console(instance: str, workshop: Workshop) -> str:
    try:
        return workshop.cloud.console(instance, _CONSOLE_LINES)
    except CloudError:
        return ""
