"""Whether what a text names is denied, or said of a relative: cues, and how far each reaches.

The idea is that of NegEx (Chapman et al., J Biomed Inform 2001): words that deny stand before or behind
what they deny. The cues and the rules of reach are our own, for English and Chinese: a cue before reaches to
a full stop, a semicolon, a word that turns the sentence (but, has; 但, 有), in Chinese to a comma too; a cue
behind reaches back to the last mark or turn. A relative reaches to the end of the sentence or to the
patient; nothing reaches further than 300 characters. Phrases that only look like a cue (no change in,
无明显诱因) are left out first.
Doubt ("possible") and conditions ("if") are not told.
"""

from __future__ import annotations

import re
from typing import Final

_RELATIVE: Final = (
    r"(?:grand)?(?:mother|father|parent)s?|mum|mom|dad|brothers?|sisters?|siblings?|sons?|daughters?"
    r"|aunts?|uncles?|cousins?|nieces?|nephews?"
)
_RELATIVE_ZH: Final = (
    "外?祖[父母]亲?|父亲|母亲|其[父母兄弟姐妹]|父母|双亲|爷爷|奶奶|外公|外婆|姥姥|姥爷|兄弟|姐妹|哥哥|弟弟|姐姐"
    "|妹妹|儿子|女儿|叔叔|伯父|舅舅|姨妈|姑姑|姑妈|亲属|家属|家族中|家人|家族史"
)
_LOOKS_ALIKE: Final = re.compile(
    r"\bnot only\b|\bno (?:significant |real )?(?:change|increase|decrease)s? (?:in|of)\b"
    r"|\bnot necessarily\b"
    r"|\b(?:not|cannot|can't) (?:be )?(?:yet )?(?:exclude|rule)d?(?: out)?\b"
    r"|\bgram[- ]negative\b|\bno doubt\b"
    r"|\b(?:lives?|living|accompanied|brought|seen|comes?|came)(?: in)? (?:with|by|together with)"
    rf" (?:\w+ )?(?:{_RELATIVE})\b"
    "|不除外|不能除外|不能排除|不排除|未排除|未能排除|无明显诱因|无诱因|无明显变化|无变化|有无|无力|不仅|不但"
    f"|不明原因|[由与和](?:{_RELATIVE_ZH})(?:陪同|陪伴|送来|代诉|同住)|(?:{_RELATIVE_ZH})代诉"
)
_SEEN: Final = "seen|found|present|detected|observed|noted|identified"
_BEFORE: Final = re.compile(
    rf"\b(?:no|not(?! (?:{_SEEN}))|without|never|nor|neither|den(?:y|ies|ied|ying)|negative for"
    r"|free (?:of|from)|absence of|lack(?:s|ed)? of|rules? out|ruled out for|ruling out|excludes?"
    r"|excluding)\b|\b\w+n['\u2019]t\b"
    "|否认|未见|未发现|未闻及|未触及|未扪及|未及|未诉|未查及|未提示|未患|未曾|没有|并无|均无|亦无|从无|无|不伴"
    "|未伴|不是|并非|非|排除"
)
_BEHIND: Final = re.compile(
    r"\b(?:ruled out|(?:is|are|was|were|been) (?:excluded|absent|negative)|unlikely"
    rf"|not (?:{_SEEN}))\b"
    r"|: ?(?:no|none|negative|absent)\b|\((?:-|negative)\)"
    "|阴性|（[-－—]）|[已可被]排除|不存在|(?:未见|未发现|[：:] ?无)(?=[，。；,;]|$)"
)
_TURN: Final = re.compile(
    r"\b(?:but|however|although|though|except|besides|apart from|aside from|yet|which|who|has|have|had"
    r"|presents?|presented|reports?|reported|complains?|complained|shows?|showed|reveals?|revealed"
    r"|develops?|developed)\b"
    "|但|却|而|(?<!没)(?<!未见)有|仅|(?<!不)(?<!未)伴"
)
_LISTED: Final = re.compile(
    r",(?=(?:(?!\b(?:but|however|and|or)\b)[^,;])*"
    r"\b(?:with|on|in|is|are|was|were|for|admitted|man|woman|patient)\b)"
)
_FULL_STOP: Final = re.compile(r"[.!?](?=\s|$)|[。！？；;]|\r?\n(?![ \t]*[a-z(])|\r(?!\n)")
_CHINESE_COMMA: Final = re.compile("，")
_CLAUSE: Final = re.compile(r"[,，、：:]|[.!?](?=\s|$)|[。！？；;]")
_FAMILY: Final = re.compile(
    r"\bfamily (?:history|hx)\b|\bfamilial history\b|\b(?:maternal|paternal|relatives?)\b"
    rf"|\b(?:{_RELATIVE})\b|{_RELATIVE_ZH}"
)
_FAMILY_BEHIND: Final = re.compile(
    rf"\b(?:in|of|by|affecting) (?:\w+ )?(?:{_RELATIVE}|relatives?|(?:her|his|their|the) family)\b"
)
_PATIENT: Final = re.compile(
    r"\b(?:the|this|our) (?:patient|proband)(?!['\u2019])|\b(?:he|she) (?:himself|herself)\b"
    "|患者|病人|本人|自己|先证者"
)

_FAR: Final = 300  # characters that a cue reaches at most
Reach = tuple[int, int]


def sentences(text: str) -> list[Reach]:
    """Where each sentence begins and ends, its mark within; together they are the whole text.

    A line ends one unless the next goes on in small letters: notes are often broken into lines.
    """
    ends = [match.end() for match in _FULL_STOP.finditer(text)]
    starts = [0, *ends]
    return [(start, end) for start, end in zip(starts, [*ends, len(text)], strict=True) if start < end]


class Cues:
    """The cues of a text and what they reach.

    `plain`: the text in lower case and simplified, as long as it. `reaches`: its `sentences`. `names`: where
    concepts stand; what lies within one is part of a name (无精子症, *non-small cell*) and no cue.
    """

    def __init__(self, plain: str, reaches: list[Reach], names: list[Reach]) -> None:
        self._plain = _LOOKS_ALIKE.sub(lambda match: "\x00" * len(match[0]), plain)
        self._name = {at: name for name in names for at in range(*name)}
        self._denied, self._family = bytearray(len(plain)), bytearray(len(plain))
        self.cues: list[Reach] = []
        for sentence in reaches:
            for _, end in self._found(_BEFORE, sentence):
                _mark(self._denied, end, self._turn(end, min(sentence[1], end + _FAR)))
            for begin, _ in self._found(_BEHIND, sentence):
                _mark(self._denied, self._clause(max(sentence[0], begin - _FAR), begin), begin)
            for _, end in self._found(_FAMILY, sentence):
                _mark(self._family, end, self._of_patient(end, min(sentence[1], end + _FAR)))
            for begin, _ in self._found(_FAMILY_BEHIND, sentence):
                _mark(self._family, self._clause(max(sentence[0], begin - _FAR), begin), begin)

    def denied(self, start: int, end: int) -> bool:
        """Whether a span is said not to be so."""
        return all(self._denied[start:end])

    def of_family(self, start: int, end: int) -> bool:
        """Whether a span is said of a relative."""
        return all(self._family[start:end])

    def _found(self, cue: re.Pattern[str], sentence: Reach) -> list[Reach]:
        found = [match.span() for match in cue.finditer(self._plain, *sentence)]
        free = [span for span in found if not self._is_part(*span)]
        self.cues += free
        return free

    def _is_part(self, begin: int, end: int) -> bool:
        """Whether a cue is part of a name that says more than the cue."""
        within = {self._name[at] for at in (begin, end - 1) if at in self._name}
        return any(low < begin or end < high for low, high in within)

    def _turn(self, begin: int, end: int) -> int:
        """Where what a denial says ends: a turn that does not follow at once, in Chinese a comma."""
        marks = [m.start() for m in _CHINESE_COMMA.finditer(self._plain, begin, end)]
        marks += [m.start() for m in _LISTED.finditer(self._plain, begin, end)]
        marks += [m.start() for m in _TURN.finditer(self._plain, begin, end) if m.start() > begin + 1]
        return min((mark for mark in marks if mark not in self._name), default=end)

    def _clause(self, begin: int, end: int) -> int:
        """Where the clause begins that ends before a cue."""
        marks = [m.end() for p in (_CLAUSE, _TURN) for m in p.finditer(self._plain, begin, end)]
        return max((mark for mark in marks if mark - 1 not in self._name), default=begin)

    def _of_patient(self, begin: int, end: int) -> int:
        match = _PATIENT.search(self._plain, begin, end)
        return match.start() if match else end


def _mark(told: bytearray, begin: int, end: int) -> None:
    if begin < end:
        told[begin:end] = b"\x01" * (end - begin)
