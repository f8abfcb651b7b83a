"""Settings, each declared once with its default, its unit and its meaning in both languages.

A root's `nexome.toml` and the environment (`NEXOME_<NAME>`) may set them, in that order of
strength; `app` reads both, this module only knows what they mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

from nexome.model.errors import SettingsError


def _setting(default: Any, meaning_en: str, meaning_zh: str, *, least: int | None = None) -> Any:
    return field(default=default, metadata={"en": meaning_en, "zh": meaning_zh, "least": least})


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one root. Unknown names and wrong types raise SettingsError in `from_mapping`."""

    host: str = _setting("127.0.0.1", "Address `nexome serve` listens on.", "`nexome serve` 监听的地址。")
    port: int = _setting(8321, "Port `nexome serve` listens on.", "`nexome serve` 监听的端口。")
    title_en: str = _setting("Nexome", "Name of the site, English.", "站点英文名称。")
    title_zh: str = _setting("Nexome", "Name of the site, Chinese.", "站点中文名称。")
    catalogue_url: str = _setting(
        "",
        "SQLAlchemy URL of the catalogue; empty: SQLite in the root.",
        "目录库的 SQLAlchemy 地址；留空则用根目录中的 SQLite。",
    )
    page_size: int = _setting(1000, "Rows of one API page when none is asked for.", "API 默认每页行数。")
    page_size_max: int = _setting(100_000, "Most rows of one API page.", "API 每页最多行数。")
    region_max_bp: int = _setting(
        10_000_000,
        "Longest region one HTTP question may ask, in bases.",
        "一次 HTTP 查询允许的最长区间（碱基数）。",
    )
    reader_threads: int = _setting(2, "Threads that read and decode planes.", "读取与解码数据的线程数。")
    allowed_hosts: str = _setting(
        "",
        "Host names served besides this machine's own, separated by commas.",
        "除本机外允许的主机名，以逗号分隔。",
    )
    trusted_proxy: str = _setting(
        "",
        "Address of the reverse proxy whose forwarded headers are believed.",
        "其转发头可信的反向代理地址。",
    )
    access_counter: bool = _setting(
        default=True,
        meaning_en="Count visits, downloads and API calls; no address is kept.",
        meaning_zh="统计访问、下载与 API 调用；不保存访问者地址。",
    )
    metrics_open: bool = _setting(
        default=False,
        meaning_en="Let anyone read /metrics; else this machine and holders of a token alone.",
        meaning_zh="允许任何人读取 /metrics；否则仅限本机与持令牌者。",
    )
    scoring_rules: str = _setting(
        "",
        "YAML file, beside nexome.toml, with the rule of self-assessments; empty: the usual rule.",
        "自评计分规则的 YAML 文件（与 nexome.toml 同目录）；留空则用通行规则。",
    )
    follow_search: bool = _setting(
        default=True,
        meaning_en="Build the search index, once there is one, again when something is published.",
        meaning_zh="有内容发布或撤回时，自动重建（已建过的）检索索引。",
    )
    search_variants: int = _setting(
        200_000,
        "Most variants of sources of knowledge in the search index; those with the most statements.",
        "检索索引收录的知识来源变异数上限；优先收录陈述最多者。",
        least=0,
    )
    search_leads: int = _setting(
        20,
        "Lead variants of each trait in the search index, the strongest first.",
        "每个性状收入检索索引的先导变异数，由强到弱。",
        least=0,
    )
    ld_min_people: int = _setting(
        25,
        "Fewest people of a population whose LD and frequencies others than the owner may ask for.",
        "除所有者外，可查询其连锁不平衡与频率的人群最少人数。",
    )
    ld_cache_mb: int = _setting(
        64, "Memory for LD already computed, in megabytes.", "保存已算得连锁不平衡的内存上限（兆字节）。"
    )
    disclosure_min_cell: int = _setting(
        5,
        "Fewest participants a number may be computed over, and by whom two answers of a project may differ.",
        "统计结果所依据的最少人数，也是同一项目两次结果之间允许相差的最少人数。",
        least=3,
    )
    disclosure_populations: int = _setting(
        1_024,
        "Different populations one project may be answered about; its ledger holds them.",
        "一个项目最多可获得多少个不同人群的结果；由项目台账记录。",
        least=1,
    )
    disclosure_refusals: int = _setting(
        100,
        "Refusals for what was answered before (each tells a little) until a project waits for its owner.",
        "因此前结果而拒绝的次数上限（每次拒绝也会透露少许信息）；达到后项目暂停，待所有者查看。",
        least=1,
    )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], *, where: str = "settings") -> Self:
        """Settings from names and values; text is read as the setting's own type."""
        known: Final = {f.name: f for f in fields(cls)}
        read: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise SettingsError(
                    f"unknown setting {name!r}", where=where, expected=", ".join(sorted(known))
                )
            want: type = type(known[name].default)
            try:
                read[name] = _truth(value) if want is bool else want(value)
            except (TypeError, ValueError):
                raise SettingsError(
                    f"{name} = {value!r}",
                    where=where,
                    expected="true or false" if want is bool else f"a value of type {want.__name__}",
                ) from None
            least = known[name].metadata["least"]
            if least is not None and read[name] < least:
                raise SettingsError(f"{name} = {value!r}", where=where, expected=f"{least} or more")
        return cls(**read)


def _truth(value: Any) -> bool:
    """Read true or false, TOML's own or as text of the environment. Raises ValueError for anything else."""
    text = str(value).strip().lower()
    if text not in {"true", "false"}:
        raise ValueError(text)
    return text == "true"
