"""
Batch processing as a service: Slurm's controller, elastic workers, jobs whose logs and results are kept in object storage.
"""
