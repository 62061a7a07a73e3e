"""
What a stateful service is to hold (users, databases, queues, policies) and the settings it runs with, against what it does: one clause each.

Read by an operator, handed to the planner, shown in the plan. What a change takes to be made is the operator's own business.
"""

from __future__ import annotations

from fournines.model.value import Value


class ContentChange(Value):
    """
    One thing that is not as asked for.

    Attributes:
        said: How it will be, for people: `user app is made`.
        restarts: Members take it only when their server is restarted.
        login: Who is let in by it, or let do what it should; empty where it is about something else.
        leader_first: The leader takes it before the others can, so it is restarted where it is, without handing over.
    """

    said: str
    restarts: bool = False
    leader_first: bool = False
    login: str = ""

    def sentence(self) -> str:
        """
        For a plan.
        """
        return f"{self.said} (by a restart)" if self.restarts else self.said


class Contents(Value):
    """
    What one service says of what it holds.

    Attributes:
        changes: What is to be made, in the order in which it will be.
        opposed: Why nothing of it can be made; empty when it can.
    """

    changes: tuple[ContentChange, ...] = ()
    opposed: str = ""
