"""What flags and estimates find in histories that are drawn, with faults of known kinds in them."""
