"""
Octavia's provider `fournines`: one HAProxy per load balancer, in a network namespace of its own.

Octavia's amphora is the model in everything a user can see: the configuration comes from Octavia's own templates, the
statuses from the same states of HAProxy, the metrics from the same mapping. README.md beside this file says what is
measured where, and where the two differ.
"""
