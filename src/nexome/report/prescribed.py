"""The prescribed budget tables: their names in papers, and the columns each is printed with.

Columns are named here once, by what they hold; a table printed with another number of columns is an unknown
layout and its lines are listed as unread. Source: the forms of the Ministry of Finance for departmental budgets (部门预算公开表).
"""

from __future__ import annotations

from typing import Final

# In this order: a longer name holds a shorter one.
NAMES: Final[tuple[tuple[str, str], ...]] = (
    ("财政拨款收支总表", "fiscal"),
    ("收支总表", "balance"),
    ("收入总表", "income"),
    ("支出总表", "expenditure"),
    ("基本支出表", "basic"),
    ("一般公共预算支出表", "general"),
    ("政府性基金", "funds"),
    ("国有资本经营", "capital"),
    ("三公", "official"),
    ("政府采购", "procurement"),
    ("购买服务", "services"),
)
_THREE: Final = ("合计", "基本支出", "项目支出")
_OFFICIAL: Final = (
    "合计",
    "因公出国（境）费",
    "公务用车购置及运行费",
    "公务用车购置费",
    "公务用车运行费",
    "公务接待费",
)
COLUMNS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "fiscal": (("预算数",),),
    "balance": (("预算数",),),
    "income": (
        (
            "合计", "上年结转", "一般公共预算拨款收入", "政府性基金预算拨款收入", "国有资本经营预算拨款收入", "事业收入", "其中：教育收费",
            "事业单位经营收入", "上级补助收入", "附属单位上缴收入", "其他收入", "使用非财政拨款结余",
        ),
        (
            "合计", "本年收入", "一般公共预算拨款收入", "政府性基金预算拨款收入", "国有资本经营预算拨款收入", "财政专户管理资金", "事业收入",
            "事业单位经营收入", "上级补助收入", "附属单位上缴收入", "其他收入", "上年结转", "结转：一般公共预算", "结转：政府性基金预算",
            "结转：国有资本经营预算", "结转：财政专户管理资金", "结转：单位资金",
        ),
    ),
    "expenditure": ((*_THREE, "上缴上级支出", "事业单位经营支出", "对下级单位补助支出"),),
    "general": (_THREE, ("合计", "基本支出", "人员经费", "公用经费", "项目支出", "扣除基建项目后")),
    "basic": (("预算数",), ("合计", "人员经费", "公用经费")),
    "funds": (_THREE,),
    "capital": (_THREE,),
    "official": (
        _OFFICIAL,
        tuple(f"上年：{name}" for name in _OFFICIAL) + _OFFICIAL,
        ("合计", "因公出国（境）费", "公务接待费", "公务用车购置及运行费", "公务用车购置费", "公务用车运行费"),
    ),
    "procurement": (("预算数",),),
    "services": (("预算数",),),
}  # fmt: skip

# A column that is the sum of others in the same row.
ROW_SUMS: Final[dict[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "expenditure": (("合计", COLUMNS["expenditure"][0][1:]),),
    "general": (("合计", ("基本支出", "项目支出")), ("基本支出", ("人员经费", "公用经费"))),
    "funds": (("合计", ("基本支出", "项目支出")),),
    "capital": (("合计", ("基本支出", "项目支出")),),
    "basic": (("合计", ("人员经费", "公用经费")),),
    "official": (
        ("合计", ("因公出国（境）费", "公务用车购置及运行费", "公务接待费")),
        ("公务用车购置及运行费", ("公务用车购置费", "公务用车运行费")),
        ("上年：合计", ("上年：因公出国（境）费", "上年：公务用车购置及运行费", "上年：公务接待费")),
        ("上年：公务用车购置及运行费", ("上年：公务用车购置费", "上年：公务用车运行费")),
    ),
}


def table_kind(title: str) -> str:
    """The kind of a table by its printed title; '' when it is none of the prescribed ones."""
    return next((kind for name, kind in NAMES if name in title), "")
