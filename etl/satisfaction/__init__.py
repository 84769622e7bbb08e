"""Satisfaction (满意度): rates that say how sure they are, small samples that stay hidden, dissatisfied
people called back."""

from etl.satisfaction.compute import SatisfactionError, compute_satisfaction

__all__ = ["SatisfactionError", "compute_satisfaction"]
