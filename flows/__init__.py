"""
Compositions, read top to bottom.
"""
