"""
Volumes of the embedded cloud: sparse files with a file system, behind a Cinder driver.
"""
