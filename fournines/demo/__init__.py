"""
The demonstration: real load from outside, real faults below the cloud's API, and what users saw of them.

Top layer, beside the CLI: it drives the product the way a person would and measures it from outside.
"""
