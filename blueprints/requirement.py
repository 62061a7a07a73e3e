"""
What parameters of a blueprint must be to each other: rules that no schema of single values can state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from blueprints.expressions import Evaluation
from blueprints.problem import Problem
from blueprints.validation import Locate
from fournines.model.value import Value


class Requirement(Value):
    """
    One rule.

    Attributes:
        at: The parameter that the complaint points at; dots lead into mappings.
        that: An expression over the parameters that must hold.
        say: What is wrong and what to do, with expressions, when it does not.
    """

    at: str = Field(min_length=1)
    that: str = Field(min_length=1)
    say: str = Field(min_length=1)


def unmet(
    requirements: Sequence[Requirement],
    values: Mapping[str, Any],
    here: Locate,
    in_blueprint: Locate,
) -> list[Problem]:
    """
    The rules that do not hold. `here` places a problem among a service's parameters, `in_blueprint` one of a rule itself.
    """
    problems: list[Problem] = []
    for number, requirement in enumerate(requirements):
        evaluation = Evaluation(values, in_blueprint)
        holds = evaluation.of(requirement.that, ["requires", number, "that"])
        said = evaluation.of(requirement.say, ["requires", number, "say"])
        if evaluation.problems:
            problems += evaluation.problems
        elif not holds:
            problems.append(here(requirement.at.split("."), str(said)))
    return problems
