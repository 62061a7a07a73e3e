"""
The cache template: Redis with replicas and Sentinels.
"""
