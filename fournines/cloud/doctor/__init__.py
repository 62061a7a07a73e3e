"""
Whether a cloud will serve: one finding per question, each with one sentence and one remedy.
"""

from fournines.cloud.doctor.examination import examine
from fournines.cloud.doctor.finding import Finding, Verdict

__all__ = ["Finding", "Verdict", "examine"]
