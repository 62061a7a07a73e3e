"""
Fournines: an OpenStack private cloud as a highly available platform that heals itself.
"""
