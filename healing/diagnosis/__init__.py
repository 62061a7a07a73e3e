"""
One engine per file: each looks at the evidence of one member and says what it sees, or nothing.
"""
