"""quarantine_desk: a person decides, in Airflow, about the rows of a day that are held back. Each group (a platform's
rows with one reason) waits for its answer: 放行 lets them pass the gate again, 作废 discards them, 暂缓 leaves them.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, Asset, Param, task

from etl.runs import OURS, OWNER

DAILY, STOCKS = Asset("pls://core/daily"), Asset("pls://core/stocks")
PERIODS = Asset("pls://core/periods")
RELEASE, DISCARD, POSTPONE = "放行", "作废", "暂缓"

with DAG(
    "quarantine_desk",
    schedule=None,
    params={"date": Param(type="string", format="date", title="统计日期", description="YYYY-MM-DD")},
    default_args={"owner": OWNER},
    doc_md=__doc__,
    **OURS,
):

    @task
    def list_held(params=None) -> list[dict]:
        from etl import tasks

        return tasks.list_held(params["date"])

    @task(outlets=[DAILY, STOCKS])
    def carry_out(group: dict, answer: dict, outlet_events=None) -> None:
        from etl import tasks

        changed = tasks.decide_held(group, answer, release=RELEASE, discard=DISCARD)
        for asset in (DAILY, STOCKS):
            outlet_events[asset].add_partitions(changed.get(asset.uri, []))

    # An answer that was not carried out fails the run; periods that others changed are then named by the next hour's
    # restatements.
    @task(outlets=[PERIODS])
    def name_periods(dag_run=None, outlet_events=None) -> None:
        from etl import tasks

        outlet_events[PERIODS].add_partitions(tasks.name_periods(dag_run.run_id))

    groups = list_held()
    answers = HITLOperator.partial(
        task_id="decide",
        options=[RELEASE, DISCARD, POSTPONE],
        defaults=POSTPONE,
        # Airflow's page has no button pressed before a text is written, unless it may be nothing.
        params={
            "why": Param(
                None, type=["null", "string"], title="理由", description=f"{RELEASE}、{DISCARD}须写明理由"
            )
        },
        response_timeout=timedelta(days=7),
        # The executor's word that the process which asked has ended may be read only once the answer has set the task
        # going again, when the answer comes within seconds; Airflow 3.3 then fails it as lost (apache/airflow#72716, no
        # setting helps). It asks again.
        retries=3,
        retry_delay=timedelta(seconds=5),
    ).expand_kwargs(groups.map(lambda group: {"subject": group["subject"], "body": group["body"]}))
    pairs = groups.zip(answers.output).map(lambda pair: {"group": pair[0], "answer": pair[1]})
    carry_out.expand_kwargs(pairs) >> name_periods()
