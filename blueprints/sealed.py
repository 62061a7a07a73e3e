"""
Keys of sealed files: each is withdrawn from the cloud's API once its instance has opened them.
"""

from __future__ import annotations

from collections.abc import Sequence

from blueprints import drafting
from blueprints.fragment import Fragment
from blueprints.scope import Scope
from blueprints.slot import Slot
from fournines.model import references


def withdrawals(
    scope: Scope, instances: Sequence[str], needs: Sequence[str]
) -> Fragment:
    """
    For instances that this plan makes, after the steps that see them serve.
    """
    if not references.is_confidential(scope.group.user_data):
        return Fragment()
    return _withdraw(scope, instances, needs)


def left_behind(scope: Scope, filled: Sequence[Slot], needs: Sequence[str]) -> Fragment:
    """
    For instances whose key an interrupted plan has left.
    """
    holding = [s.keeper.name for s in filled if s.keeper and s.keeper.holds_key]
    return _withdraw(scope, holding, needs)


def _withdraw(scope: Scope, instances: Sequence[str], needs: Sequence[str]) -> Fragment:
    steps = tuple(
        drafting.withdraw_key(name, serves=scope.group.is_asked, needs=needs)
        for name in instances
    )
    return Fragment(steps=steps)
