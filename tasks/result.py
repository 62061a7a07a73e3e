"""
What a deployment came to, and the two ways in which a flow says that it did not come to its end.
"""

from __future__ import annotations

from fournines.model.refusal import Refusal
from fournines.model.value import Value
from fournines.planning.plan import Plan
from healing.prediction import Prediction
from tasks.outcome import Outcome


class Result(Value):
    """
    What a deployment came to.

    Attributes:
        refusals: Why nothing, or not everything, was done.
        outcome: None when nothing was performed.
        prediction: What was foreseen; None when nothing was to be done, or it was refused before.
    """

    plan: Plan
    refusals: tuple[Refusal, ...] = ()
    outcome: Outcome | None = None
    prediction: Prediction | None = None

    @property
    def ok(self) -> bool:
        """
        All that was asked for is done.
        """
        return not self.refusals and (self.outcome is None or self.outcome.ok)

    def sentence(self) -> str:
        """
        The result for people, and the next step.
        """
        said = [refusal.detail for refusal in self.refusals]
        if self.outcome is not None:
            said.insert(0, self.outcome.sentence() + self._foreseen())
        elif not said:
            said = ["nothing to do: what is, is what should be"]
        return "; ".join(said)

    def _foreseen(self) -> str:
        """
        Beside what it took, what was predicted.
        """
        if self.prediction is None or self.outcome is None or not self.outcome.ok:
            return ""
        return f" (predicted {self.prediction.seconds:.1f} s)"


class NotDone(Exception):
    """
    Not all that was asked for is done; a flow run that ends so must not look completed.

    Attributes:
        result: What was refused, what failed, what is done.
    """

    def __init__(self, result: Result) -> None:
        super().__init__(result.sentence())
        self.result = result


class NotConfirmed(Exception):
    """
    Destroying was asked for without a second word.
    """

    exit_code = 2
