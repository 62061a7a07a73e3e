"""
The message bus template: RabbitMQ with quorum queues.
"""
