"""
Jobs of batch services: what is kept of them, how they are submitted, followed and cancelled, and how many workers they get.
"""
