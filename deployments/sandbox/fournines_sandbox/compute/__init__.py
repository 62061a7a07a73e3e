"""
Instances of the embedded cloud: Debian system containers behind a Nova driver.

`container` and below know nothing of Nova; `machine` puts an instance together from them; `driver` is Nova's plug.
"""
