"""
What can go wrong with breaking and mending.
"""


class FaultError(RuntimeError):
    """A fault could not be injected or undone; nothing was changed."""
