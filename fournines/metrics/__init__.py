"""
The measurements' door: the `Metrics` Protocol and Prometheus behind it.
"""
