"""
OpenStack itself on one machine: the real services, with small local drivers at their own plug points.

Instances are system containers, networks are bridges, load balancers are HAProxy.
"""
