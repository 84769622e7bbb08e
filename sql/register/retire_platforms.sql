UPDATE core.platform SET is_declared = false WHERE is_declared AND NOT platform = ANY(:declared)
