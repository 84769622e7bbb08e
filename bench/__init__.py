"""The benchmark: a provincial day from archived bytes to the mart, against a floor and against a common script."""
