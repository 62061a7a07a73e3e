"""
Faults, injected below OpenStack: as hardware and software would fail, with nobody told.
"""
