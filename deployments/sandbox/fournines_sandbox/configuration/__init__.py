"""
The OpenStack services' own configuration files, one module per service.
"""
