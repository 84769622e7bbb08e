"""The peers: other programs that do the same work on the same bytes. What they need beyond the project stands in
requirements.lock, and is installed apart from it."""
