"""
What should be: blueprint model, loader, compile and diff, and one folder per template. Pure.
"""
