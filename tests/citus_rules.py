"""What Citus does not plan or keep, looked for in the project's own SQL with PostgreSQL's parser.

The rules are Citus 13's, from its documentation (SQL Support and Workarounds; Creating and Modifying Distributed
Tables), from the refusals in its planner, and from what Citus 13.2 refused of this project's statements when they were
run on it. Which table is distributed by what, and which is a reference table, stands in sql/citus/0001_distribute.sql;
every other table is local to the coordinator.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pglast
from pglast import ast, enums

from etl.settings import SQL_DIR

VOLATILE = {"clock_timestamp", "gen_random_uuid", "nextval", "random", "setval", "txid_current"}
RULES = {
    "key": "a unique key of a distributed table contains its distribution column",
    "foreign key": "no foreign key leads to a distributed table (the layout drops those to and from local tables)",
    "trigger": "a distributed table has no trigger",
    "exclusion": "a distributed table has no exclusion constraint without its distribution column",
    "partition": "a partition of a distributed table is not partitioned again",
    "lock": "FOR UPDATE and FOR SHARE lock no distributed table",
    "recursive": "a query that says WITH RECURSIVE reads no distributed table",
    "grouping sets": "no GROUPING SETS, ROLLUP, CUBE over a distributed table",
    "sample": "no TABLESAMPLE of a distributed table",
    "correlated": "a subquery that reads a distributed table is tied to another one, by the distribution columns alone",
    "join": "two distributed tables are joined on their distribution columns",
    "writing CTE": "no CTE writes to a distributed table",
    "volatile": "no volatile function in an UPDATE or DELETE of a distributed table",
    "moves a row": "no UPDATE sets a distribution column",
    "conflict": "ON CONFLICT on a distributed table names its distribution column",
    "values": "INSERT … VALUES into a distributed or reference table holds no subquery",
    "update of a reference": "no UPDATE or DELETE of a reference table joins another",
    "hollow": "an EXISTS that refers to nothing outside and reads a distributed table selects something",
    "folded": "no condition that a parameter can make fall away stands beside a subquery",
    "arrays": "unnest of several arrays that are parameters stands apart from distributed tables, in a CTE kept apart",
    "merge": "no MERGE into a distributed table",
    "cursor": "no cursor over a distributed table",
    "ctid": "no ctid of a distributed table",
}


@dataclass
class Layout:
    """distributed: table to its distribution column. reference: tables kept whole on every node. views: name to what it
    is made of."""

    distributed: dict[str, str] = field(default_factory=dict)
    reference: set[str] = field(default_factory=set)
    views: dict[str, Any] = field(default_factory=dict)

    def column(self, name: str) -> str | None:
        return self.distributed.get(name)

    def is_spread(self, name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether a table or view is distributed, or reads what is."""
        if name in self.distributed:
            return True
        if name not in self.views or name in seen:
            return False
        return any(self.is_spread(each, seen | {name}) for each in names_in(self.views[name]))


@dataclass(frozen=True, order=True)
class Found:
    """where: a statement's name as run_sql has it, or the migration's object. rule: a key of RULES."""

    where: str
    rule: str


def read_layout(distribution: str) -> Layout:
    """The layout that sql/citus/0001_distribute.sql makes, and the views of the migrations as they last stand."""
    layout = Layout()
    calls = r"create_(distributed|reference)_table\('([\w.]+)'(?:, '(\w+)')?"
    for kind, table, column in re.findall(calls, distribution):
        if kind == "reference":
            layout.reference.add(table)
        else:
            layout.distributed[table] = column
    for _, statement in migrations():
        if isinstance(statement, ast.ViewStmt):
            layout.views[_name(statement.view)] = statement.query
    return layout


def migrations() -> Iterator[tuple[str, Any]]:
    """Every statement of the migrations in order, with its file's name."""
    files = sorted((SQL_DIR / "schema").glob("[0-9]*.sql"))
    for file in files:
        for raw in pglast.parse_sql(file.read_text(encoding="utf-8")):
            yield file.stem, raw.stmt


def statements() -> Iterator[tuple[str, Any]]:
    """Every statement that run_sql runs, with its name."""
    for file in sorted(SQL_DIR.rglob("*.sql")):
        name = str(file.relative_to(SQL_DIR).with_suffix(""))
        if name.split("/")[0] in ("schema", "citus"):
            continue
        text = re.sub(r"(?<![:\w]):(\w+)", "$1", file.read_text(encoding="utf-8"))
        for raw in pglast.parse_sql(text):
            yield name, raw.stmt


def find_in_migrations(layout: Layout) -> Iterator[Found]:
    """What of the tables, keys, views and functions Citus would refuse."""
    last: dict[str, list[Found]] = {}
    for _, statement in migrations():
        if isinstance(statement, ast.ViewStmt):
            name = _name(statement.view)
            last[name] = [
                Found(f"view {name}", rule) for rule in sorted(set(broken(statement.query, layout)))
            ]
        elif isinstance(statement, ast.CreateFunctionStmt):
            name = ".".join(part.sval for part in statement.funcname)
            found = [Found(f"function {name}", rule) for rule in _in_function(statement, layout)]
            last[f"function {name}"] = found
        else:
            yield from (Found(f"table {name}", rule) for name, rule in _in_definition(statement, layout))
    for each in last.values():
        yield from each


def find_in_statements(layout: Layout) -> Iterator[Found]:
    """What of the statements Citus would not plan."""
    for name, statement in statements():
        yield from (Found(name, rule) for rule in sorted(set(broken(statement, layout))))


# --- definitions ---------------------------------------------------------------------------------------------


def _in_definition(statement: Any, layout: Layout) -> Iterator[tuple[str, str]]:
    if isinstance(statement, ast.CreateStmt):
        name = _name(statement.relation)
        for element in statement.tableElts or ():
            yield from ((name, rule) for rule in _in_constraint(name, element, layout))
            if isinstance(element, ast.ColumnDef):
                for constraint in element.constraints or ():
                    columns = {element.colname}
                    yield from ((name, rule) for rule in _in_constraint(name, constraint, layout, columns))
        if statement.inhRelations and statement.partspec and layout.column(_name(statement.inhRelations[0])):
            yield name, "partition"
    elif isinstance(statement, ast.AlterTableStmt):
        name = _name(statement.relation)
        for command in statement.cmds:
            if command.subtype == enums.AlterTableType.AT_AddConstraint:
                yield from ((name, rule) for rule in _in_constraint(name, command.def_, layout))
            if command.subtype == enums.AlterTableType.AT_AddColumn:
                for constraint in command.def_.constraints or ():
                    columns = {command.def_.colname}
                    yield from ((name, rule) for rule in _in_constraint(name, constraint, layout, columns))
    elif isinstance(statement, ast.IndexStmt):
        name = _name(statement.relation)
        columns = {each.name for each in statement.indexParams}
        if statement.unique and layout.column(name) and layout.column(name) not in columns:
            yield name, "key"
    elif isinstance(statement, ast.CreateTrigStmt) and layout.is_spread(_name(statement.relation)):
        yield _name(statement.relation), "trigger"


def _in_constraint(table: str, constraint: Any, layout: Layout, own: set[str] | None = None) -> Iterator[str]:
    if not isinstance(constraint, ast.Constraint):
        return
    kind, column = constraint.contype, layout.column(table)
    if kind in (enums.ConstrType.CONSTR_PRIMARY, enums.ConstrType.CONSTR_UNIQUE):
        columns = {each.sval for each in constraint.keys} if constraint.keys else own or set()
        if column and column not in columns:
            yield "key"
    elif kind == enums.ConstrType.CONSTR_EXCLUSION and column:
        yield "exclusion"
    elif kind == enums.ConstrType.CONSTR_FOREIGN and _name(constraint.pktable) in layout.distributed:
        yield "foreign key"


def _in_function(statement: ast.CreateFunctionStmt, layout: Layout) -> list[str]:
    options = {option.defname: option.arg for option in statement.options}
    body = statement.sql_body or options.get("as")
    if isinstance(body, tuple) and options["language"].sval == "sql":
        body = tuple(raw.stmt for raw in pglast.parse_sql(body[0].sval))
    # PL/pgSQL runs on the coordinator; its statements are planned one by one when they come.
    return sorted(set(broken(body, layout))) if options["language"].sval == "sql" else []


# --- statements ----------------------------------------------------------------------------------------------


def broken(statement: Any, layout: Layout) -> Iterator[str]:
    """The rules that a statement breaks."""
    used = Counter(_name(node) for node in walk(statement) if isinstance(node, ast.RangeVar))
    ctes: dict[str, bool] = {}
    # A CTE that is kept apart comes back to the coordinator as a result of its own: nothing distributed is left of it.
    inlined: dict[str, bool] = {}
    for node in walk(statement):
        if isinstance(node, ast.CommonTableExpr):
            ctes[node.ctename] = _spread(node.ctequery, layout, ctes)
            is_apart = (
                node.ctematerialized == enums.CTEMaterialize.CTEMaterializeAlways or used[node.ctename] > 1
            )
            inlined[node.ctename] = not is_apart and _spread(node.ctequery, layout, inlined)
    spread = {
        name
        for node in walk(statement)
        if isinstance(node, ast.RangeVar) and _spread(node, layout, inlined)
        for name in _aliases(node)
    }
    for node in walk(statement):
        clause = getattr(node, "withClause", None)
        if clause is not None and clause.recursive and _spread(node, layout, ctes):
            yield "recursive"
        if isinstance(node, ast.SelectStmt):
            yield from _in_select(node, layout, inlined)
        elif isinstance(node, ast.JoinExpr):
            left, right = (_direct(side, layout) for side in (node.larg, node.rarg))
            if left and right and not _tied(node, {layout.distributed[name] for name in left | right}):
                yield "join"
        elif isinstance(node, ast.SubLink):
            yield from _in_subquery(node.subselect, layout, inlined, spread)
            if (
                node.subLinkType == enums.SubLinkType.EXISTS_SUBLINK
                and not node.subselect.targetList
                and _spread(node.subselect, layout, inlined)
                and not _free_in(node.subselect)
            ):
                yield "hollow"
        elif isinstance(node, ast.RangeSubselect) and node.lateral:
            yield from _in_subquery(node.subquery, layout, inlined, spread)
        elif isinstance(node, ast.CommonTableExpr):
            target = getattr(node.ctequery, "relation", None)
            if target is not None and layout.is_spread(_name(target)):
                yield "writing CTE"
        elif isinstance(node, ast.RangeTableSample) and layout.is_spread(_name(node.relation)):
            yield "sample"
        elif isinstance(node, ast.DeclareCursorStmt) and _spread(node.query, layout, ctes):
            yield "cursor"
        elif isinstance(node, ast.ColumnRef) and _last(node) == "ctid" and _spread(statement, layout, ctes):
            yield "ctid"
        elif isinstance(node, ast.BoolExpr) and node.boolop == enums.BoolExprType.OR_EXPR:
            if _may_fold(node) and _spread(statement, layout, ctes):
                yield "folded"
        elif isinstance(node, (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)):
            yield from _in_write(node, layout)


def _in_select(node: ast.SelectStmt, layout: Layout, ctes: dict[str, bool]) -> Iterator[str]:
    reads = any(_spread(each, layout, ctes) for each in node.fromClause or ())
    if node.lockingClause and reads:
        yield "lock"
    if reads and any(isinstance(each, ast.GroupingSet) for each in node.groupClause or ()):
        yield "grouping sets"
    if reads and any(_unnests_parameters(each) for each in _joined(node.fromClause)):
        yield "arrays"


def _joined(sources: tuple[Any, ...]) -> Iterator[Any]:
    """What a FROM joins, without what stands in its subqueries."""
    for each in sources:
        if isinstance(each, ast.JoinExpr):
            yield from _joined((each.larg, each.rarg))
        else:
            yield each


def _unnests_parameters(source: Any) -> bool:
    """Their types get mixed up when Citus makes a result of its own of them."""
    if not isinstance(source, ast.RangeFunction):
        return False
    calls = [node for node in walk(source) if isinstance(node, ast.FuncCall) and _called(node) == "unnest"]
    return any(len(call.args) > 1 for call in calls) and not any(
        isinstance(node, ast.ColumnRef) for node in walk(source)
    )


def _in_write(node: Any, layout: Layout) -> Iterator[str]:
    table = _name(node.relation)
    column = layout.column(table)
    values = getattr(getattr(node, "selectStmt", None), "valuesLists", None)
    if (column or table in layout.reference) and any(
        isinstance(each, ast.SubLink) for each in walk(values or ())
    ):
        yield "values"
    if table in layout.reference and (
        getattr(node, "fromClause", None) or getattr(node, "usingClause", None)
    ):
        yield "update of a reference"
    if column is None:
        return
    if isinstance(node, ast.MergeStmt):
        yield "merge"
        return
    if isinstance(node, ast.InsertStmt):
        conflict = node.onConflictClause
        if (
            conflict
            and conflict.infer
            and column not in {each.name for each in conflict.infer.indexElems or ()}
        ):
            yield "conflict"
        targets = conflict.targetList if conflict else ()
    else:
        targets = getattr(node, "targetList", ())
        if any(_called(each) in VOLATILE for each in walk(node) if isinstance(each, ast.FuncCall)):
            yield "volatile"
    if column in {each.name for each in targets or ()}:
        yield "moves a row"


def _in_subquery(query: Any, layout: Layout, ctes: dict[str, bool], spread: set[str]) -> Iterator[str]:
    """A subquery that reads distributed tables may refer to the outside by an equality of distribution columns. spread:
    by what names the statement calls distributed tables."""
    if not _spread(query, layout, ctes):
        return
    free = _free_in(query)
    if not free:
        return
    columns = {layout.distributed[name] for name in names_in(query) if name in layout.distributed}
    tied = [
        node
        for node in walk(query)
        if isinstance(node, ast.A_Expr)
        and node.name[-1].sval == "="
        and {_last(node.lexpr), _last(node.rexpr)} & columns
        and any(side in free and _first(side) in spread for side in (node.lexpr, node.rexpr))
    ]
    allowed = [side for node in tied for side in (node.lexpr, node.rexpr)]
    if not tied or any(all(ref is not side for side in allowed) for ref in free):
        yield "correlated"


def _may_fold(either: ast.BoolExpr) -> bool:
    """Whether one side is a matter of parameters alone, and another asks a table."""
    sides = [{type(node) for node in walk(side)} for side in either.args]
    return any(ast.ParamRef in side and ast.ColumnRef not in side for side in sides) and any(
        ast.SubLink in side for side in sides
    )


def _free_in(query: Any) -> list[ast.ColumnRef]:
    """The columns that a subquery takes from outside."""
    inside = {name for node in walk(query) for name in _aliases(node)}
    return [
        ref for ref in walk(query) if isinstance(ref, ast.ColumnRef) and _first(ref) not in (None, *inside)
    ]


def _tied(join: ast.JoinExpr, columns: set[str]) -> bool:
    if join.usingClause and columns & {each.sval for each in join.usingClause}:
        return True
    sides = [
        {_last(node.lexpr), _last(node.rexpr)}
        for node in walk(join.quals)
        if isinstance(node, ast.A_Expr) and node.name[-1].sval == "="
    ]
    return any(each <= columns for each in sides)


def _direct(node: Any, layout: Layout) -> set[str]:
    """Distributed tables that stand in a join themselves, not in a subquery of it."""
    named = {_name(each) for each in _joined((node,)) if isinstance(each, ast.RangeVar)}
    return named & set(layout.distributed)


def _spread(node: Any, layout: Layout, ctes: dict[str, bool]) -> bool:
    return any(ctes.get(name, False) or layout.is_spread(name) for name in names_in(node))


# --- the tree ------------------------------------------------------------------------------------------------


def walk(node: Any) -> Iterator[Any]:
    """The node and everything below it, CTEs before what uses them."""
    if isinstance(node, tuple):
        for each in node:
            yield from walk(each)
    elif isinstance(node, ast.Node):
        yield node
        attributes = sorted(node, key=lambda name: name != "withClause")
        for name in attributes:
            yield from walk(getattr(node, name))


def names_in(node: Any) -> set[str]:
    """Relations that are named anywhere below, as schema.table, CTEs and temporary tables by their bare names."""
    return {_name(each) for each in walk(node) if isinstance(each, ast.RangeVar)}


def _name(relation: ast.RangeVar) -> str:
    return f"{relation.schemaname}.{relation.relname}" if relation.schemaname else relation.relname


def _aliases(node: Any) -> set[str]:
    if isinstance(node, ast.RangeVar):
        return {node.alias.aliasname if node.alias else node.relname}
    alias = getattr(node, "alias", None)
    return {alias.aliasname} if isinstance(alias, ast.Alias) else set()


def _first(ref: ast.ColumnRef) -> str | None:
    fields = ref.fields
    return fields[0].sval if len(fields) > 1 and isinstance(fields[0], ast.String) else None


def _last(node: Any) -> str | None:
    if isinstance(node, ast.ColumnRef) and isinstance(node.fields[-1], ast.String):
        return str(node.fields[-1].sval)
    return None


def _called(call: ast.FuncCall) -> str:
    return str(call.funcname[-1].sval)


def files() -> list[Path]:
    """The SQL files that are looked at."""
    return [file for file in SQL_DIR.rglob("*.sql") if file.parent.name != "citus"]
