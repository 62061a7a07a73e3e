"""
What must survive: registry, journal, leases, inbox, cases, switches; one SQLAlchemy store behind small Protocols.
"""
