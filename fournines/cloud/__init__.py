"""
The cloud's door: the `Cloud` Protocol in our words, its errors, and two clouds behind it.
"""
