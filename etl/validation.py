"""Validation: the suites of expectations/, run in bulk by Great Expectations; where one fails, the failing rows.

The bulk run decides. Only for an expectation that failed are its rows located, by a mask that is made from the same
declaration (type and arguments), so that the two cannot drift apart.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import logging
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import great_expectations as gx
import numpy as np
import numpy.typing as npt
import pandas as pd
from great_expectations.data_context.types.base import ProgressBarsConfig

from etl.settings import EXPECTATIONS_DIR

logging.getLogger("great_expectations").setLevel(logging.WARNING)

Mask = npt.NDArray[np.bool_]
Arguments = Mapping[str, Any]


class SuiteError(Exception):
    """A suite is not what it declares to be."""


@dataclass(frozen=True)
class Broken:
    """An expectation that failed: what was declared, and the rows that break it."""

    meta: Mapping[str, Any]
    rows: Mask


@dataclass(frozen=True)
class Validation:
    """The result of one bulk run: Great Expectations' own document, and what is broken, in declared order."""

    document: dict[str, Any]
    broken: list[Broken]


def validate(suite_name: str, frame: pd.DataFrame, parameters: Arguments) -> Validation:
    """Run a suite over a frame; `parameters` fill the suite's {"$PARAMETER": name} places.

    Raises SuiteError when Great Expectations ran fewer or other expectations than the file declares (it drops a
    misspelt one with a log line only), or when one could not be evaluated.
    """
    declared = _declared(suite_name)
    context = _context()
    suite = gx.ExpectationSuite(
        name=f"{suite_name}-{uuid.uuid4().hex}",
        expectations=[
            {key: value for key, value in each.items() if key != "meta"} | {"meta": {**each["meta"]}}
            for each in declared
        ],
    )
    source = context.data_sources.add_pandas(suite.name)
    try:
        definition = source.add_dataframe_asset("figures").add_batch_definition_whole_dataframe("all")
        result = definition.get_batch({"dataframe": frame}).validate(
            suite, result_format={"result_format": "SUMMARY"}, expectation_parameters=dict(parameters)
        )
    finally:
        context.data_sources.delete(suite.name)
    if len(result.results) != len(declared):
        raise SuiteError(
            f"expectations/{suite_name}.json declares {len(declared)} expectations, {len(result.results)} ran"
        )
    broken = []
    document = result.to_json_dict()
    for place, (each, outcome) in enumerate(zip(declared, document["results"], strict=True), start=1):
        if outcome["expectation_config"]["type"] != each["type"]:
            raise SuiteError(
                f"expectations/{suite_name}.json: entry {place} ran as {outcome['expectation_config']['type']}"
            )
        if _raised(outcome.get("exception_info") or {}):
            raise SuiteError(
                f"expectations/{suite_name}.json: entry {place} raised {outcome['exception_info']}"
            )
        if not outcome["success"]:
            rows = MASKS[each["type"]](frame, _resolve(each["kwargs"], parameters))
            if not rows.any():
                raise SuiteError(
                    f"expectations/{suite_name}.json: entry {place} failed, yet no row breaks it"
                )
            broken.append(Broken(meta=each["meta"], rows=rows))
    return Validation(document=document, broken=broken)


@functools.cache
def _declared(suite_name: str) -> list[dict[str, Any]]:
    suite = json.loads((EXPECTATIONS_DIR / f"{suite_name}.json").read_text(encoding="utf-8"))
    declared: list[dict[str, Any]] = suite["expectations"]
    if not declared:
        raise SuiteError(f"expectations/{suite_name}.json declares no expectation")
    unknown = [each["type"] for each in declared if each["type"] not in MASKS]
    if unknown:
        raise SuiteError(
            f"expectations/{suite_name}.json: no row mask for {', '.join(unknown)}; add it to etl/validation.py"
        )
    return declared


def _raised(info: Mapping[str, Any]) -> bool:
    """Whether Great Expectations met an exception; it says so at the top, or once for each metric."""
    return bool(info.get("raised_exception")) or any(
        each.get("raised_exception") for each in info.values() if isinstance(each, Mapping)
    )


@functools.cache
def _context() -> Any:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _resolve(arguments: Arguments, parameters: Arguments) -> dict[str, Any]:
    return {
        key: parameters[value["$PARAMETER"]] if isinstance(value, dict) and "$PARAMETER" in value else value
        for key, value in arguments.items()
    }


def _not_in_set(frame: pd.DataFrame, arguments: Arguments) -> Mask:
    column = frame[arguments["column"]]
    return (column.notna() & ~column.isin(arguments["value_set"])).to_numpy()


def _null(frame: pd.DataFrame, arguments: Arguments) -> Mask:
    return frame[arguments["column"]].isna().to_numpy()


def _not_null(frame: pd.DataFrame, arguments: Arguments) -> Mask:
    return frame[arguments["column"]].notna().to_numpy()


def _not_between(frame: pd.DataFrame, arguments: Arguments) -> Mask:
    column: Any = frame[arguments["column"]]
    low, high = arguments.get("min_value", -np.inf), arguments.get("max_value", np.inf)
    return np.asarray(column.notna() & ~column.between(low, high))


def _repeated(frame: pd.DataFrame, arguments: Arguments) -> Mask:
    column: Any = frame[arguments["column"]]
    return np.asarray(column.notna() & column.duplicated(keep=False))


def _pair(frame: pd.DataFrame, arguments: Arguments, breaks: Callable[[Any, Any], Any]) -> Mask:
    left, right = frame[arguments["column_A"]], frame[arguments["column_B"]]
    return np.asarray(left.notna() & right.notna() & breaks(left, right), dtype=bool)


def _mask_of(custom: Any) -> Callable[[pd.DataFrame, Arguments], Mask]:
    """The mask of one of the project's own expectations, which hold their rule themselves."""

    def mask(frame: pd.DataFrame, arguments: Arguments) -> Mask:
        if "column" not in arguments:
            return _pair(frame, arguments, custom.breaks)
        column = frame[arguments["column"]]
        return np.asarray(column.notna() & custom.breaks(column), dtype=bool)

    return mask


def _custom() -> dict[str, Any]:
    """The expectations of expectations/custom.py; importing them makes them known to Great Expectations."""
    spec = importlib.util.spec_from_file_location("pls_custom_expectations", EXPECTATIONS_DIR / "custom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its classes look their annotations up in the module that they name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    custom: dict[str, Any] = module.CUSTOM
    return custom


MASKS: dict[str, Callable[[pd.DataFrame, Arguments], Mask]] = {
    "expect_column_values_to_be_in_set": _not_in_set,
    "expect_column_values_to_not_be_null": _null,
    "expect_column_values_to_be_null": _not_null,
    "expect_column_values_to_be_between": _not_between,
    "expect_column_values_to_be_unique": _repeated,
    "expect_column_pair_values_a_to_be_greater_than_b": lambda frame, args: _pair(
        frame, args, lambda a, b: ~(a >= b)
    ),
    **{name: _mask_of(custom) for name, custom in _custom().items()},
}
