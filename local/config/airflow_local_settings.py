"""Read by every Airflow component when it starts. The ones that fork tasks import the heavy packages once, so that
no task has to: Great Expectations alone takes six seconds, on every task."""

import sys

if {"scheduler", "celery"} & set(sys.argv[1:2]):
    import great_expectations  # noqa: F401
    import pandas  # noqa: F401

    import etl.tasks  # noqa: F401

__all__: list[str] = []  # nothing here overrides a setting of Airflow
