"""
PostgreSQL as a service: what it should be (blueprint.yaml), and the pure half of operating it.
"""
