"""
Files that go into the base image. They run inside instances, with Debian's Python, not in the cloud's processes.
"""
