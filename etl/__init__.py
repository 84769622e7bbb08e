"""Multi-level statistics of public legal services: from the platforms' submissions to consolidated tables."""
