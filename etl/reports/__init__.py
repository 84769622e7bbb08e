"""Reports: what the office receives."""
