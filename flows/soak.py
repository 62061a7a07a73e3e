"""
Watching a remedied member until fresh measurements have stayed good for the group's soak time, or time is up.
"""

from __future__ import annotations

from datetime import timedelta

from flows import examination
from flows.case_book import CaseBook
from flows.ward import Ward
from fournines import log
from fournines.cloud.errors import CloudError, CloudUnreachable
from fournines.model.case import Subject
from healing import verify
from healing.verify import Look, Verdict

LOOK_SECONDS = 1.0
"""From look to look: each costs a few API calls."""

PATIENCE_SECONDS = 25.0
"""Beyond the soak time: a remedy that is not good by then has failed."""

_log = log.get("healing")


def watch(
    ward: Ward,
    book: CaseBook,
    subject: Subject,
    *,
    soak_seconds: float,
    patience_seconds: float = PATIENCE_SECONDS,
    through_front: bool = False,
) -> Look:
    """
    Look until the verdict is clear. The returned look's `good` is the verdict, None where too little could be seen; its text is the
    last complaint, or what proved it.

    Raises:
        CloudUnreachable: Its API hardly let us look: nothing is known of the remedy, and it is looked at again later.
    """
    clock = ward.workshop.clock
    begin = clock.now()
    deadline = begin + timedelta(seconds=soak_seconds + patience_seconds)
    looks: list[Look] = []
    errors: list[CloudError] = []
    said = ""
    while True:
        try:
            evidence = examination.look_once(ward, subject)
        except CloudError as error:
            _log.warning("look_failed", error=str(error))
            errors.append(error)
            look = Look(clock.now(), None, f"nothing seen: {error}")
        else:
            look = verify.judge_look(evidence, through_front=through_front)
        looks.append(look)
        if look.good is not True and look.saw != said:
            said = look.saw
            book.note("not_yet_well", look.saw, instance=subject.instance)
        verdict = verify.judge(
            looks, now=clock.now(), soak_seconds=soak_seconds, deadline=deadline
        )
        if verdict is Verdict.RECOVERED:
            good = sum(1 for seen in looks if seen.good)
            return Look(look.at, True, f"{good} good looks in {soak_seconds:g} s")
        if verdict is Verdict.NOT_RECOVERED:
            complaints = [seen.saw for seen in looks if seen.good is False]
            return Look(look.at, False, complaints[-1])
        if verdict is Verdict.UNSEEN:
            if errors:
                raise CloudUnreachable(f"watching {subject.instance}", str(errors[-1]))
            return Look(look.at, None, look.saw)
        clock.sleep(LOOK_SECONDS)
