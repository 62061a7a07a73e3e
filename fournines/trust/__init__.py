"""
Secrets, certificates and sealed files: what cryptography is used for.
"""
