"""Words by which columns of cohorts and their codes are known, in English and Chinese.

Names are compared as `key` gives them: lower case, letters, digits and Chinese signs alone. Nothing here is
a mapping of variables: which quantity a column holds is the business of ingest.mapping.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_NOT_IN_KEY: Final = re.compile(r"[^0-9a-z\u3400-\u9fff]+")
CHINESE: Final = re.compile(r"[\u3400-\u9fff]")

# The surest first: of two columns that could be the participant, the earlier name here wins.
PARTICIPANT: Final = (
    "participantid", "subjectid", "patientid", "personid", "usubjid", "subjid", "recordid", "seqn",
    "eid", "iid", "participant", "studyid", "pid", "ptid", "caseid", "respondentid", "individualid",
    "id", "受试者编号", "参与者编号", "患者编号", "病人编号", "个人编号", "研究编号", "对象编号", "病例编号",
    "病历号", "住院号", "患者id",
    "受试者id", "编号", "个人id",
)  # fmt: skip
VISIT: Final = (
    "visit", "visitid", "visitnum", "visitname", "wave", "timepoint", "redcapeventname", "round",
    "followup", "随访", "访视", "随访次数", "访视编号", "轮次", "时间点",
)  # fmt: skip
VISIT_DAY: Final = ("day", "days", "visitday", "studyday", "month", "visitmonth", "天", "随访天数")
AGE: Final = (
    "age", "ageyears", "ageyear", "ageyrs", "ageatvisit", "ageatrecruitment", "ageatbaseline",
    "ridageyr", "年龄", "年龄岁", "周岁", "就诊年龄",
)  # fmt: skip
SEX: Final = ("sex", "gender", "riagendr", "性别")
DATE: Final = (
    "visitdate", "redate", "examdate", "examinationdate", "date", "sampledate", "collectiondate",
    "testdate", "随访日期", "检查日期", "体检日期", "采样日期", "检验日期", "日期", "访视日期",
)  # fmt: skip
WEIGHT: Final = (
    "samplingweight", "surveyweight", "sampleweight", "wtmec2yr", "wtint2yr", "wtmec4yr", "抽样权重", "权重",
    "加权系数",
)  # fmt: skip
CONSENT: Final = (
    "consent",
    "consentversion",
    "informedconsent",
    "知情同意",
    "知情同意版本",
    "知情同意书版本",
)
WITHDRAWN: Final = ("withdrawn", "withdrawal", "withdrew", "consentwithdrawn", "退出", "撤回同意", "退出研究")

# Words within a name that say who somebody is, or what few would tell.
IDENTIFYING: Final = (
    "firstname", "lastname", "surname", "fullname", "givenname", "phone", "mobile", "telephone", "email",
    "address", "postcode", "zipcode", "ssn", "mrn", "passport", "姓名", "名字", "电话", "手机", "邮箱",
    "地址", "住址", "身份证", "邮编", "病案号", "病历号", "住院号",
)  # fmt: skip
SENSITIVE: Final = (
    "hiv", "syphilis", "treponema", "sexorient", "samesex", "sexpartn", "sexnumpartn", "sexever",
    "harddrug", "marij", "drugs", "abuse", "abortion", "psych", "nervousbreak", "suicid", "religion",
    "艾滋", "梅毒", "性取向", "性伴", "吸毒", "流产", "精神", "自杀", "宗教",
)  # fmt: skip

MALE: Final = frozenset({"m", "male", "man", "men", "boy", "男", "男性"})
FEMALE: Final = frozenset({"f", "female", "woman", "women", "girl", "女", "女性"})
YES_WORDS: Final = frozenset({"yes", "y", "true", "t", "是", "有"})
NO_WORDS: Final = frozenset({"no", "n", "false", "f", "否", "无", "無"})

# No answer: what it means (English, Chinese), and the words for it as `plain` gives them.
_WORDS_FOR_NO_ANSWER: Final = {
    ("refused", "拒答"): "refused,refuse,declined,拒答,拒绝,拒绝回答",
    (
        "unknown",
        "不详",
    ): "unknown,unk,don't know,dont know,dk,[unknown],不详,不祥,未知,不知道,不清楚",
    ("not done", "未做"): "not done,not tested,nd,未做,未测,未检,未查",
    ("not available", "缺失"): "not available,[not available]",
    ("missing", "缺失"): "missing,na,n/a,.,缺失,缺,无数据",
    ("not applicable", "不适用"): "not applicable,[not applicable],不适用",
}
NO_ANSWER: Final = {word: told for told, listed in _WORDS_FOR_NO_ANSWER.items() for word in listed.split(",")}
# Numbers that stand for no answer where they lie far from all others.
MISSING_NUMBERS: Final = (
    -1, -2, -3, -7, -8, -9, -66, -77, -88, -99, -666, -777, -888, -999, -7777, -8888, -9999, -99999,
    77, 88, 99, 666, 777, 888, 999, 6666, 7777, 8888, 9999, 77777, 88888, 99999, 999999,
)  # fmt: skip


def key(name: str) -> str:
    """A name without case, blanks and signs.

    >>> key("Patient_ID "), key("年龄（岁）")
    ('patientid', '年龄岁')
    """
    return _NOT_IN_KEY.sub("", unicodedata.normalize("NFKC", name).casefold())


def plain(value: str) -> str:
    """A cell's text without case, width and outer blanks."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())
