"""Housekeeping: backups, and letting go of what has served its time."""
