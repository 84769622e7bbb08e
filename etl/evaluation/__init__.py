"""Performance evaluation (绩效评价): divisions scored by the schemes of the catalogue (domain.md section 4)."""

from etl.catalog.scheme_consistency import KnownIndicator
from etl.evaluation.compare import Change, compare_scheme
from etl.evaluation.evaluate import evaluate
from etl.evaluation.explain import explain_evaluation
from etl.evaluation.terms import EvaluationError

__all__ = [
    "Change",
    "EvaluationError",
    "KnownIndicator",
    "compare_scheme",
    "evaluate",
    "explain_evaluation",
]
