"""A paper as flat rows of text: one row a cell, amount, indicator, text, fact or unread line; and back.

The same rows make CSV, XLSX (sheet 'records') and Parquet, and are what one writes by hand to start clean; JSON is
the paper nested (`paper_values`). All round-trip exactly. Columns, in order, are COLUMNS; those a row does not need stay empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, get_args, get_type_hints

from nexome.model.errors import FormatError
from nexome.report.paper import (
    COMPARISONS,
    Amount,
    BudgetRow,
    BudgetTable,
    Fact,
    Fund,
    Indicator,
    Paper,
    TargetTable,
    Text,
    Unread,
)

COLUMNS: Final = (
    "record", "table", "row", "column", "kind", "title", "code", "name", "section", "department", "issuer", "year", "start", "end",
    "level1", "level2", "comparison", "value", "low", "high", "unit", "weight", "role", "part", "yuan", "printed",
    "doubt", "label", "text", "line",
)  # fmt: skip
Record = dict[str, str]


# ---------------------------------------------------------------- nested


def paper_values(paper: Paper) -> dict[str, Any]:
    """The paper as JSON values: decimals as text, so that nothing is rounded."""
    values: dict[str, Any] = plain_values(asdict(paper))
    return values


def plain_values(value: Any) -> Any:
    """Frozen records, taken apart by `asdict`, as JSON values: decimals as text, so that nothing is rounded."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {key: plain_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_values(item) for item in value]
    return value


def paper_from_values(values: object, source: str, sha256: str) -> Paper:
    """A paper from what `paper_values` or `paper_records` gave; source and checksum fill what is absent.

    Raises FormatError naming the row or field that cannot be used.
    """
    if isinstance(values, list):
        return _from_records(values, source, sha256)
    if not isinstance(values, dict):
        raise FormatError(
            f"a {type(values).__name__}", where=source, expected="a mapping with budgets and targets"
        )
    filled = {"source": source, "sha256": sha256, "issuer": "", "year": ""} | values
    filled.pop("kind", None)
    filled.pop("version", None)
    try:
        paper: Paper = build_record(Paper, filled, source)
    except (TypeError, KeyError, ValueError, InvalidOperation) as error:
        raise FormatError(
            f"a value that does not fit ({error})", where=source, expected="the layout of an export"
        ) from None
    return paper


def build_record(kind: Any, value: Any, where: str) -> Any:
    """A dataclass, tuple, Decimal or plain value of the declared type, from what `plain_values` gave.

    Raises FormatError naming an unknown field; TypeError, ValueError, InvalidOperation for what does not fit.
    """
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        unknown = set(value) - set(hints)
        if unknown:
            raise FormatError(f"an unknown field {min(unknown)}", where=where, expected=", ".join(hints))
        return kind(
            **{name: build_record(hints[name], item, f"{where}, {name}") for name, item in value.items()}
        )
    arguments = get_args(kind)
    if type(None) in arguments:
        return (
            None
            if value is None
            else build_record(next(a for a in arguments if a is not type(None)), value, where)
        )
    if arguments:
        return tuple(build_record(arguments[0], item, where) for item in value)
    return Decimal(str(value)) if kind is Decimal else kind(value)


# ---------------------------------------------------------------- flat


def paper_records(paper: Paper) -> list[Record]:
    """The paper as rows; see COLUMNS."""
    rows = [_record("paper", name=paper.source, text=paper.sha256, issuer=paper.issuer, year=paper.year)]
    for number, table in enumerate(paper.budgets):
        rows += _budget_records(table, str(number))
    for number, target in enumerate(paper.targets):
        rows += _target_records(target, str(number))
    for fact in paper.facts:
        rows.append(_record("fact", name=fact.name, value=fact.number, printed=fact.printed, unit=fact.unit,
                            text=fact.sentence, line=fact.line))  # fmt: skip
    rows += [_record("prose", label=text.label, text=text.text, line=text.line) for text in paper.prose]
    rows += [_record("unread", text=item.text, label=item.reason, line=item.line) for item in paper.unread]
    return rows


def _record(record: str, **values: object) -> Record:
    return (
        dict.fromkeys(COLUMNS, "")
        | {"record": record}
        | {k: "" if v is None else str(v) for k, v in values.items()}
    )


def _money(amount: Amount) -> dict[str, object]:
    return {
        "yuan": amount.yuan,
        "printed": amount.printed,
        "unit": amount.unit,
        "doubt": amount.doubt,
        "line": amount.line,
    }


def _budget_records(table: BudgetTable, number: str) -> Iterable[Record]:
    yield _record("budget", table=number, kind=table.kind, title=table.title, unit=table.unit,
                  text="|".join(table.columns), line=table.line)  # fmt: skip
    for i, row in enumerate(table.rows):
        yield _record("row", table=number, row=i, code="|".join(row.codes), name=row.name, section=row.section,
                      line=row.line)  # fmt: skip
        for j, amount in enumerate(row.amounts):
            if amount is not None:
                yield _record("amount", table=number, row=i, column=j, **_money(amount))


def _target_records(table: TargetTable, number: str) -> Iterable[Record]:
    yield _record("target", table=number, kind=table.kind, title=table.title, code=table.code, name=table.name,
                  department=table.department, issuer=table.unit, year=table.year, start=table.start, end=table.end,
                  line=table.line)  # fmt: skip
    for fund in table.funds:
        yield _record(
            "fund", table=number, role=fund.role, name=fund.name, part=fund.part, **_money(fund.amount)
        )
    for text in table.texts:
        yield _record("text", table=number, label=text.label, text=text.text, line=text.line)
    for leaf in table.indicators:
        yield _record("indicator", table=number, **{f.name: getattr(leaf, f.name) for f in fields(leaf)})


def _from_records(rows: list[Any], source: str, sha256: str) -> Paper:
    head = {"source": source, "sha256": sha256, "issuer": "", "year": ""}
    lists: dict[str, list[Any]] = {"fact": [], "prose": [], "unread": []}
    budgets: dict[str, dict[str, Any]] = {}
    targets: dict[str, dict[str, Any]] = {}
    for number, given in enumerate(rows, 2):
        row = _checked(given, f"{source}, row {number}")
        try:
            _take(row, head, lists, budgets, targets)
        except (KeyError, IndexError, ValueError, InvalidOperation) as error:
            raise FormatError(
                f"a {row['record']} row that does not fit ({error})", where=f"{source}, row {number}",
                expected="its table's row above it, and numbers where numbers belong",
            ) from None  # fmt: skip
    return Paper(
        **head,
        budgets=tuple(_budget(table) for table in budgets.values()),
        targets=tuple(
            TargetTable(**table["words"], funds=tuple(table["funds"]), texts=tuple(table["texts"]),
                        indicators=tuple(table["indicators"])) for table in targets.values()
        ),
        facts=tuple(lists["fact"]), prose=tuple(lists["prose"]), unread=tuple(lists["unread"]),
    )  # fmt: skip


def _checked(given: Any, where: str) -> Record:
    if not isinstance(given, Mapping) or not given.get("record"):
        raise FormatError("a row without `record`", where=where, expected="columns " + ", ".join(COLUMNS))
    if unknown := set(given) - set(COLUMNS):
        raise FormatError(f"an unknown column {min(unknown)}", where=where, expected=", ".join(COLUMNS))
    row = dict.fromkeys(COLUMNS, "") | {
        key: "" if value is None else str(value) for key, value in given.items()
    }
    if row["comparison"] not in COMPARISONS:
        raise FormatError(f"comparison {row['comparison']!r}", where=where, expected=" ".join(COMPARISONS))
    return row


def _take(
    row: Record,
    head: dict[str, str],
    lists: dict[str, list[Any]],
    budgets: dict[str, Any],
    targets: dict[str, Any],
) -> None:
    """Put one row where it belongs."""
    line = int(row["line"] or 0)
    kind, table = row["record"], row["table"]
    if kind == "paper":
        head |= {"source": row["name"] or head["source"], "sha256": row["text"] or head["sha256"]}
        head |= {"issuer": row["issuer"], "year": row["year"]}
    elif kind == "budget":
        budgets[table] = {"row": row, "rows": []}
    elif kind == "row":
        budgets[table]["rows"].append((row, {}))
    elif kind == "amount":
        budgets[table]["rows"][int(row["row"])][1][int(row["column"])] = _amount(row)
    elif kind == "target":
        names = ("kind", "title", "code", "name", "department", "year", "start", "end")
        words = {name: row[name] for name in names} | {"unit": row["issuer"], "line": line}
        targets[table] = {"words": words, "funds": [], "texts": [], "indicators": []}
    elif kind == "fund":
        targets[table]["funds"].append(Fund(row["role"], row["name"], _amount(row), int(row["part"] or 0)))
    elif kind == "text":
        targets[table]["texts"].append(Text(row["label"], row["text"], line))
    elif kind == "indicator":
        targets[table]["indicators"].append(_indicator(row))
    else:
        lists[kind].append(_loose(row, line))


def _loose(row: Record, line: int) -> Fact | Text | Unread:
    if row["record"] == "fact":
        return Fact(row["name"], Decimal(row["value"]), row["printed"], row["unit"], row["text"], line)
    if row["record"] == "prose":
        return Text(row["label"], row["text"], line)
    return Unread(line, row["text"], row["label"])


def _amount(row: Record) -> Amount:
    return Amount(Decimal(row["yuan"]), row["printed"], row["unit"], int(row["line"] or 0), row["doubt"])


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _indicator(row: Record) -> Indicator:
    return Indicator(
        row["level1"], row["level2"], row["name"], row["comparison"], row["value"], _decimal(row["low"]),
        _decimal(row["high"] or row["low"]), row["unit"], _decimal(row["weight"]), int(row["line"] or 0),
        int(row["part"] or 0),
    )  # fmt: skip


def _budget(table: dict[str, Any]) -> BudgetTable:
    head = table["row"]
    columns = tuple(head["text"].split("|"))
    rows = tuple(
        BudgetRow(
            tuple(row["code"].split("|")) if row["code"] else (), row["name"], row["section"],
            tuple(amounts.get(i) for i in range(len(columns))), int(row["line"] or 0),
        )
        for row, amounts in table["rows"]
    )  # fmt: skip
    return BudgetTable(head["kind"], head["title"], head["unit"], columns, rows, int(head["line"] or 0))
