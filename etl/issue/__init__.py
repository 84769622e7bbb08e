"""Issue (报出): tables that are frozen, versioned, corrected by new versions, and proved to be what was known then."""
