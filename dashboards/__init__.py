"""
Grafana dashboards, generated from the model.
"""
