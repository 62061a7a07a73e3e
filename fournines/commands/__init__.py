"""
What the command line does, one module per part; each is imported when it is called.
"""
