"""
Effects: the only Prefect tasks, one module per noun.
"""
