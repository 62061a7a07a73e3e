"""
The OpenStack services, one process each: `python -m fournines_sandbox.services.NAME`.
"""
