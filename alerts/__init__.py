"""
How we come to know: SLO model, rule generation, Alertmanager payloads (pure); the webhook door.
"""
