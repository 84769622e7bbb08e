"""consolidated_tables: what an office receives: tables drafted, approved by a person, issued, delivered.

The partition key is a period that is shown anew. Its tables, of the whole area and of the divisions of each report's
recipients, are drafted once its last cut-off has passed, and so are those of the last periods that are over and that no
run has drafted; where no cell differs from the last version, nothing is. A person answers 批准 or 退回 (with the
reason) within a week, unless the report says `approval: false`. An approved table is frozen and delivered; what a
target did not take waits for the next run, which fails this one.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, Asset, Param, PartitionedAssetTimetable, task

from etl.runs import OURS, OWNER

INDICATORS = Asset("pls://mart/indicators")
TABLES = Asset("pls://mart/tables")
APPROVE, REFUSE = "批准", "退回"

with DAG(
    "consolidated_tables",
    schedule=PartitionedAssetTimetable(assets=INDICATORS),
    params={"period": Param("", type="string", title="报告期", description="手工运行时填写，如 2026-03")},
    max_active_runs=32,
    default_args={"owner": OWNER, "retries": 3, "retry_delay": timedelta(minutes=2)},
    doc_md=__doc__,
    **OURS,
):

    @task(outlets=[TABLES], retry_delay=timedelta(seconds=20))
    def draft_tables(dag_run=None, params=None, ti=None, outlet_events=None) -> list[dict]:
        from etl import tasks

        drafted = tasks.draft_tables(dag_run.partition_key or params["period"], dag_run.run_id)
        ti.xcom_push(key="faults", value=drafted["faults"])
        outlet_events[TABLES].add_partitions(drafted["issued"])
        return drafted["questions"]

    @task
    def deliver_waiting(faults: list[str]) -> None:
        from etl import tasks

        tasks.deliver_waiting(faults)

    @task(outlets=[TABLES])
    def carry_out(question: dict, answer: dict, outlet_events=None) -> None:
        from etl import tasks

        issued = tasks.decide_table(question, answer, approve=APPROVE, refuse=REFUSE)
        outlet_events[TABLES].add_partitions(issued)

    questions = draft_tables()
    deliver_waiting(questions["faults"])
    answers = HITLOperator.partial(
        task_id="approve",
        options=[APPROVE, REFUSE],
        defaults=REFUSE,
        # Airflow's page has no button pressed before a text is written, unless it may be nothing.
        params={"why": Param(None, type=["null", "string"], title="理由", description=f"{REFUSE}须写明理由")},
        response_timeout=timedelta(days=7),
        # Asks again where the executor took it for lost: see quarantine_desk.
        retries=3,
        retry_delay=timedelta(seconds=5),
    ).expand_kwargs(questions.map(lambda each: {"subject": each["subject"], "body": each["body"]}))
    pairs = questions.zip(answers.output).map(lambda pair: {"question": pair[0], "answer": pair[1]})
    carry_out.expand_kwargs(pairs)
