"""
What to do about it: evidence, diagnosis, brakes, ladder, plan, verify. Pure.
"""
