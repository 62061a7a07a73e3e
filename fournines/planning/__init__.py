"""
Steps and plans. Pure.
"""
