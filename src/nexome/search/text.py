"""A text as it is compared: one case, one width, simplified Chinese; words; features of an encoder.

Folding takes nothing away that tells two meanings apart, and makes equal what only differs in spelling:
accents, Greek letters, British and American endings, roman and arabic numerals, traditional and simplified
characters. It is applied to what is stored and to what is asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from opencc import OpenCC

_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_HAN}]+|[a-z0-9]+|[^\W_{_HAN}a-z0-9]+")
_IS_HAN: Final = re.compile(f"[{_HAN}]")
_UNIT: Final = re.compile(rf"[{_HAN}]+|(?:(?![{_HAN}])[^\W_]|[\u0300-\u036f])+(?:['\u2019]s\b)?")
_POSSESSIVE: Final = re.compile(r"['\u2019]s\b")
_GREEK: Final = str.maketrans(
    {
        letter: f"{unicodedata.name(letter).rsplit(' ', 1)[-1].lower()}".replace("lamda", "lambda")
        for letter in "αβγδεζηθικλμνξοπρστυφχψω"
    }
    | {"ς": "sigma"}
)
_ROMAN: Final = {
    roman: str(number)
    for number, roman in enumerate(
        ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv"), 1
    )
}
_GRAMS: Final = (3, 4, 5)  # letters of a Latin word, with its ends marked
_HAN_GRAMS: Final = (1, 2, 3)
_LONGEST: Final = 2_000  # characters of a text that are read; what is named is shorter by far


def fold(text: str) -> str:
    """`text` in one case, width and script, without accents; spaces as they are.

    >>> fold("Sjögren’s 綜合徵 (ＳＳ)")
    'sjogren 综合征 (ss)'
    """
    if text.isascii():
        return _POSSESSIVE.sub("", text.lower()) if "'" in text else text.lower()
    wide = unicodedata.normalize("NFKC", text)
    if _IS_HAN.search(wide):
        wide = _to_simplified(wide)
    apart = unicodedata.normalize("NFKD", _POSSESSIVE.sub("", wide).casefold())
    plain = "".join(c for c in apart if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", plain)


def words(text: str) -> list[str]:
    """The words of a text, folded and spelled one way; a run of Chinese characters is one word.

    >>> words("Haemolytic anaemia, type II; TNF-α 缺铁性贫血")
    ['hemolytic', 'anemia', 'type', '2', 'tnf', 'alpha', '缺铁性贫血']
    """
    return [_spell(word) for word in _WORD.findall(fold(text[:_LONGEST]))]


class Unit(NamedTuple):
    """A Chinese character or a run of letters and digits of a text: its words, where it begins and ends."""

    words: tuple[str, ...]
    start: int
    end: int

    @property
    def is_han(self) -> bool:
        """Whether it is a Chinese character."""
        return is_han(self.words[0])


def units(text: str) -> list[Unit]:
    """The pieces of a text that names begin and end at, in order, with their places in the text itself.

    >>> [(*unit.words, unit.start, unit.end) for unit in units("Crohn's 貧血")]
    [('crohn', 0, 7), ('贫', 8, 9), ('血', 9, 10)]
    """
    found = []
    for match in _UNIT.finditer(text):
        run, start = match[0], match.start()
        if not _IS_HAN.match(run):
            if told := tuple(words(run)):
                found.append(Unit(told, start, match.end()))
            continue
        plain = fold(run)
        if len(plain) != len(run):  # rare characters that are written as two
            plain = "".join(fold(c)[:1] or c for c in run)
        found += (Unit((c,), at, at + 1) for at, c in enumerate(plain, start))
    return found


def key_of(pieces: Sequence[Unit]) -> str:
    """Units as the key of a name that is written so: `" ".join(words(...))` of what they stand for."""
    key, end = "", -1
    for unit in pieces:
        glued = key and unit.is_han and end == unit.start and is_han(key[-1])
        key += ("" if glued or not key else " ") + " ".join(unit.words)
        end = unit.end
    return key


def features(text: str) -> list[str]:
    """What an encoder sees of a text: words, pieces of words, pieces of Chinese; repeated as they occur.

    A feature starts with its kind: `w` a word, `c` letters of one, `z` Chinese characters.

    >>> features("gout 痛风")[:4]
    ['wgout', 'c<go', 'cgou', 'cout']
    >>> features("gout 痛风")[-3:]
    ['z痛', 'z风', 'z痛风']
    """
    return [feature for word in words(text) for feature in _features_of(word)]


def is_han(text: str) -> bool:
    """Whether a text has any Chinese character."""
    return not text.isascii() and _IS_HAN.search(text) is not None


@lru_cache(maxsize=1 << 16)
def _features_of(word: str) -> tuple[str, ...]:
    if _IS_HAN.match(word):
        return tuple(_pieces(word, "z", _HAN_GRAMS))
    return ("w" + word, *_pieces(f"<{word}>", "c", _GRAMS))


def _pieces(word: str, kind: str, sizes: tuple[int, ...]) -> Iterator[str]:
    for size in sizes:
        # A word shorter than its pieces is a piece itself, once.
        if kind == "c" and len(word) <= size and size != sizes[0]:
            return
        for start in range(len(word) - size + 1):
            yield kind + word[start : start + size]


@lru_cache(maxsize=1 << 16)
def _spell(word: str) -> str:
    if word.isascii():
        if word in _ROMAN:
            return _ROMAN[word]
    else:
        word = word.translate(_GREEK)
    if len(word) < 5 or _IS_HAN.match(word):
        return word
    word = word.replace("ae", "e").replace("oe", "e").replace("isation", "ization")
    return word[:-3] + "or" if word.endswith("our") else word


def _to_simplified(text: str) -> str:
    return str(_converter().convert(text))


@cache
def _converter() -> Any:
    return OpenCC("t2s")
