"""
The domain: values that say what should be, what is, and what happened.

Pure. Every value is frozen; whatever carries a moment carries it as an aware UTC datetime.
"""
