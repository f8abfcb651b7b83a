"""Every measure of a centre, declared once: name, unit, kind, meaning, and what it is computed from.

A measure is a number the centre can tell of itself. `report.measures` holds the query of each; API, command
line, Prometheus, pages and the reference in docs are made from this table. A measure whose source is not
there has no reading: nothing is invented. No input or output here.

kind         gauge    a state: what is there now
             counter  only ever grows: what has happened since the root was made
aggregation  how readings tell of a period: 'last' (the state at its end), 'rise' (end minus start), 'mean'
unit         UCUM: '1' (things counted), 'By' (bytes), 'ms', '%', 'd'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

MeasureKind = Literal["gauge", "counter"]
Aggregation = Literal["last", "rise", "mean"]

UNITS: Final = ("1", "By", "ms", "%", "d")


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure. `unit_zh` is the Chinese measure word; `part` names what its parts are by, '' for none.

    `words` are other names people give it in plans, both languages: by these, links are proposed.
    """

    name: str
    unit: str
    unit_zh: str
    kind: MeasureKind
    aggregation: Aggregation
    title_en: str
    title_zh: str
    meaning_en: str
    meaning_zh: str
    source: str
    part: str = ""
    words: tuple[str, ...] = ()


_Pair = tuple[str, str]


def _state(
    name: str,
    unit: _Pair,
    title: _Pair,
    meaning: _Pair,
    source: str,
    *,
    part: str = "",
    words: tuple[str, ...] = (),
) -> Measure:
    return Measure(name, *unit, "gauge", "last", *title, *meaning, source, part, words)


def _total(
    name: str,
    unit: _Pair,
    title: _Pair,
    meaning: _Pair,
    source: str,
    *,
    part: str = "",
    words: tuple[str, ...] = (),
) -> Measure:
    return Measure(name, *unit, "counter", "rise", *title, *meaning, source, part, words)


def _mean(
    name: str,
    unit: _Pair,
    title: _Pair,
    meaning: _Pair,
    source: str,
    *,
    part: str = "",
    words: tuple[str, ...] = (),
) -> Measure:
    return Measure(name, *unit, "gauge", "mean", *title, *meaning, source, part, words)


_HELD: Final = (
    _state("studies", ("1", "项"), ("Studies", "研究数"), ("Studies published and not withdrawn.", "已发布且未撤回的研究数。"),
           "manifest of the association store", words=("研究", "数据集", "数据资源", "datasets")),
    _state("traits", ("1", "个"), ("Traits", "性状数"), ("Traits of all studies.", "全部研究的性状总数。"),
           "manifest of the association store", words=("表型", "性状", "phenotypes")),
    _state("associations", ("1", "条"), ("Associations", "关联数"),
           ("Associations that are not missing: one feature with one trait each.", "非缺失的关联条数：每条为一个特征与一个性状。"),
           "manifest of the association store", words=("关联", "数据量", "数据条目", "记录", "records")),
    _state("features", ("1", "个"), ("Variants and other features", "变异等特征数"),
           ("Features of the longest list, an axis or a ragged segment. Lists overlap and are not added up: the true number is this or more.",
            "最长特征列表（特征轴或稀疏段）的长度。各列表互有重叠，故不相加；实际不少于此数。"),
           "manifest of the association store", words=("变异", "位点", "特征", "variants")),
    _state("samples", ("1", "人次"), ("Participants, summed over studies", "各研究样本量之和"),
           ("The largest sample of each study, added up. Who takes part in several studies counts in each.",
            "各研究最大样本量之和。参加多项研究者在每项中各计一次。"),
           "records of the studies", words=("样本", "样本量", "人群", "samples")),
    _state("largest_sample", ("1", "人"), ("Largest study", "最大研究的样本量"),
           ("People in the largest sample of any study.", "单项研究中最大的样本量。"), "records of the studies",
           words=("最大样本",)),
    _state("genotype_samples", ("1", "人"), ("Genotyped samples", "基因型样本数"),
           ("Samples of all genotype sets that are not LD panels.", "全部基因型数据集的样本数（不含 LD 参考面板）。"),
           "manifest of the genotype store", words=("基因型", "测序样本", "genotypes")),
    _state("genes", ("1", "个"), ("Genes", "基因数"), ("Genes of the home assembly.", "本库参考基因组的基因数。"),
           "genes of the root", words=("基因",)),
    _state("assemblies", ("1", "个"), ("Assemblies", "参考基因组数"), ("Home assemblies.", "本库参考基因组数。"), "root.json",
           words=("参考基因组",)),
    _state("species", ("1", "种"), ("Species", "物种数"), ("Species of the home assemblies, where stated.", "本库参考基因组所注明的物种数。"),
           "root.json", words=("物种",)),
    _state("terms", ("1", "条"), ("Ontology terms", "本体术语数"), ("Terms of loaded ontologies and vocabularies that are not obsolete, each once.", "已导入的本体与词表中未废弃的术语数，不重复计。"),
           "knowledge of the root", part="vocabulary", words=("术语", "本体", "知识条目")),
    _state("cohorts", ("1", "个"), ("Cohorts", "队列数"), ("Cohorts with data of participants.", "有参与者数据的队列数。"),
           "manifest of the cohorts", words=("队列",)),
    _state("variables", ("1", "个"), ("Variables", "变量数"), ("Variables of all cohorts.", "全部队列的变量数。"),
           "manifest of the cohorts", part="cohort", words=("变量", "表型变量")),
    _state("participants", ("1", "人"), ("Participants", "参与者数"),
           ("People of all cohorts, each once where cohorts share their identifiers.", "全部队列的参与者人数；共用编号的队列之间不重复计。"),
           "participant keys of the cohorts", words=("参与者", "受试者", "队列人数")),
    _state("bytes_held", ("By", "字节"), ("Bytes held", "存储量"), ("Bytes of all files of the root.", "根目录下全部文件的字节数。"),
           "files of the root", part="store", words=("存储量", "数据总量", "存储", "数据容量", "storage")),
    _state("users", ("1", "人"), ("Token holders", "持令牌用户数"),
           ("Names that hold a live token.", "持有有效令牌的名称数。"), "catalogue", words=("用户", "注册用户", "users")),
)  # fmt: skip

_USED: Final = (
    _total("visits", ("1", "次"), ("Visits", "访问次数"),
           ("Pages read by one visitor without a pause of 30 minutes are one visit. Robots and the owner are left out.",
            "同一访客连续浏览、间隔不超过 30 分钟计一次访问。不含机器人与所有者。"),
           "access counter", words=("访问量", "访问次数", "访问", "visits")),
    _total("visitors", ("1", "人次"), ("Daily visitors", "每日独立访客累计"),
           ("Distinct visitors of each day, added up: who comes on two days counts twice. Estimated, ±1 %.",
            "每日独立访客数之和：同一人两天来访计两次。估计值，误差约 1%。"),
           "access counter", words=("独立访客", "访客", "访问人次", "访问用户", "visitors")),
    _total("page_views", ("1", "次"), ("Page views", "页面浏览量"),
           ("Pages sent to readers. Robots and the owner are left out.", "向读者发送的页面数。不含机器人与所有者。"),
           "access counter", part="page", words=("浏览量", "点击量", "页面浏览", "page views")),
    _total("downloads", ("1", "次"), ("Downloads", "下载次数"),
           ("Whole studies downloaded to the end.", "完整下载研究文件的次数。"), "access counter", words=("下载量", "下载次数", "下载")),
    _total("api_calls", ("1", "次"), ("API calls", "API 调用次数"),
           ("Questions to the HTTP API that were answered. Robots and the owner are left out.",
            "HTTP API 成功应答的请求数。不含机器人与所有者。"),
           "access counter", part="route", words=("接口调用", "API调用", "服务调用", "API calls")),
    _total("queries", ("1", "次"), ("Questions to the data", "数据查询次数"),
           ("Variants, regions, genes, look-ups, comparisons … asked for by pages, API or command line; the owner's are left out.",
            "经页面、API 或命令行查询变异、区间、基因、批量、比较等的次数；不含所有者。"),
           "catalogue", part="kind", words=("查询", "检索", "数据服务", "queries")),
    _total("bytes_served", ("By", "字节"), ("Bytes served", "下行流量"),
           ("Bytes of all answers sent, bodies alone. Robots and the owner are left out.", "已发送应答正文的总字节数。不含机器人与所有者。"),
           "access counter", part="door", words=("流量", "下载数据量", "共享数据量", "bytes served")),
    _total("robot_requests", ("1", "次"), ("Requests of robots", "机器人请求数"),
           ("Requests of programs that call themselves robots; counted here alone.", "自称机器人的程序发出的请求数，仅在此计数。"),
           "access counter", words=("爬虫",)),
    _total("runs", ("1", "次"), ("Runs of algorithms", "算法运行次数"), ("Runs of analyses.", "分析任务运行次数。"), "",
           words=("分析任务", "算法", "分析流程", "pipelines")),
)  # fmt: skip

_KEPT: Final = (
    _mean("uptime", ("%", "%"), ("Uptime", "可用率"),
          ("Share of the last 30 days in which nexome serve ran, or of the time since it first did.",
           "最近 30 天（或自首次运行以来）nexome serve 处于运行状态的时间占比。"),
          "access counter and event log", words=("可用率", "正常运行", "在线率", "系统可用", "运行率", "uptime")),
    _mean("response_p50", ("ms", "毫秒"), ("Response time, median", "响应时间中位数"),
          ("Half of the answers of pages and API in the last 30 days began within this time; within 13 %.",
           "最近 30 天内，页面与 API 半数应答在此时间内开始；误差不超过 13%。"), "access counter", part="door", words=("响应时间", "平均响应")),
    _mean("response_p95", ("ms", "毫秒"), ("Response time, 95th percentile", "响应时间第 95 百分位"),
          ("95 % of the answers of pages and API in the last 30 days began within this time; within 13 %.",
           "最近 30 天内，页面与 API 95% 的应答在此时间内开始；误差不超过 13%。"), "access counter", part="door", words=("响应时间",)),
    _mean("response_p99", ("ms", "毫秒"), ("Response time, 99th percentile", "响应时间第 99 百分位"),
          ("99 % of the answers of pages and API in the last 30 days began within this time; within 13 %.",
           "最近 30 天内，页面与 API 99% 的应答在此时间内开始；误差不超过 13%。"), "access counter", part="door"),
    _total("server_errors", ("1", "次"), ("Server errors", "服务器错误数"),
           ("Answers with a status of 500 or more.", "状态码为 500 及以上的应答数。"), "access counter", words=("错误",)),
    _total("lost_servers", ("1", "次"), ("Servers lost", "异常停机次数"),
           ("Times nexome serve ended without being stopped (killed, power cut); known when it is started again.",
            "nexome serve 未经正常停止而终止（被杀死、断电）的次数；再次启动时得知。"), "event log", words=("停机", "宕机")),
    _total("incidents", ("1", "次"), ("Incidents", "故障次数"),
           ("Server errors and servers lost.", "服务器错误与异常停机之和。"), "access counter and event log",
           words=("故障", "事故", "安全事件", "incidents")),
    _total("backups_made", ("1", "次"), ("Backups made", "备份次数"), ("Backups finished.", "完成的备份次数。"), "event log",
           words=("备份",)),
    _total("backups_restored", ("1", "次"), ("Restores", "恢复次数"),
           ("Times this root was made from a backup.", "本根目录由备份恢复而来的次数。"), "event log", words=("恢复", "恢复演练")),
    _state("backup_age", ("d", "天"), ("Age of the last backup", "距上次备份"),
           ("Days since the last backup was finished.", "距上次备份完成的天数。"), "event log"),
)  # fmt: skip

MEASURES: Final[dict[str, Measure]] = {measure.name: measure for measure in (*_HELD, *_USED, *_KEPT)}
"""Every measure by name, in the order they are shown: what is held, how it is used, how it is kept."""
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    group: tuple(measure.name for measure in members)
    for group, members in (("held", _HELD), ("used", _USED), ("kept", _KEPT))
}
