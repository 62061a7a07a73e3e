"""
The data path: bridges, ports, routers, floating IPs and security groups, rendered from Neutron's database.
"""
