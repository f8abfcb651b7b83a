"""From the characters of an expression to its tokens: numbers with their units, names, texts, words and signs.

Full-width signs and Chinese words (且 或 非 …) are read as their plain fellows. A Chinese word for and/or is one
only where it stands alone or directly after a number, a text or a bracket: it may be part of a variable's name.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, NoReturn

from nexome.model.errors import InputError
from nexome.model.ucum import read_unit

MAX_CHARACTERS: Final = 4_000
KEYWORDS: Final = frozenset(
    {
        "and",
        "or",
        "not",
        "in",
        "is",
        "between",
        "missing",
        "null",
        "case",
        "when",
        "then",
        "else",
        "end",
        "if",
    }
    | {"true", "false"}
)
_WORDS: Final = {
    "且": "and", "并且": "and", "和": "and", "或": "or", "或者": "or", "非": "not", "不是": "not",
    "&&": "and", "||": "or", "&": "and", "|": "or",
}  # fmt: skip
_SAME: Final = str.maketrans(
    {
        "（": "(", "）": ")", "，": ",", "、": ",", "＞": ">", "＜": "<", "＝": "=", "≥": "≥", "≤": "≤",
        "＋": "+", "－": "-", "−": "-", "×": "*", "÷": "/", "＊": "*", "／": "/", "‘": "'", "’": "'",
        "“": '"', "”": '"', "！": "!", "％": "%", "＾": "^", "\u00a0": " ", "\u3000": " ", "\n": " ", "\t": " ", "\r": " ",
    }
)  # fmt: skip
_SIGNS: Final = {"≥": ">=", "≤": "<=", "≠": "!=", "<>": "!=", "==": "=", "**": "^"}
_NUMBER: Final = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_NAME: Final = re.compile(r"[^\W\d]\w*(?:\.\w+)*")
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]+`")
_SIGN: Final = re.compile(r"<=|>=|<>|!=|==|\*\*|&&|\|\||[-+*/^(),=<>≥≤≠&|]")
_JOIN_AFTER_VALUE: Final = re.compile(r"并且|或者|且|或")
_UNIT: Final = re.compile(
    r"10[*^]-?\d+(?:/[\wµμ]+)?|[^\W\d_][^\s(),+=<>≥≤≠&|'\"`]*|[%°‰\[/][^\s(),+=<>≥≤≠&|'\"`]*"
)
_SPACED_UNIT: Final = re.compile(r"mm\s[Hh][Gg]|mm\s+汞柱|kg\s*/\s*m\^?2\b")


class Token(NamedTuple):
    """kind: number, name, text, word (a keyword, in lower case), sign, end; `place` counts from 1."""

    kind: str
    text: str
    place: int
    unit: str = ""


def _plain(text: str) -> str:
    """Full-width signs as their plain fellows, character by character; what is quoted stays as it is written."""
    same = text.translate(_SAME)
    return _QUOTED.sub(lambda m: f"{m[0][0]}{text[m.start() + 1 : m.end() - 1]}{m[0][-1]}", same)


def tokens(text: str) -> list[Token]:
    """The tokens, an `end` last. Raises InputError with the character that is not understood."""
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"an expression of {len(text)} characters", expected=f"at most {MAX_CHARACTERS}")
    plain, found, at = _plain(text), list[Token](), 0
    while at < len(plain):
        if plain[at] == " ":
            at += 1
            continue
        token, at = _next(plain, at, found[-1] if found else None)
        found.append(token)
    return [*found, Token("end", "", len(plain) + 1)]


def _next(text: str, at: int, before: Token | None) -> tuple[Token, int]:  # noqa: PLR0911  one a kind
    if match := _NUMBER.match(text, at):
        return _number(text, match)
    if match := _QUOTED.match(text, at):
        quote, inner = match.group()[0], match.group()[1:-1]
        kind = "name" if quote == "`" else "text"
        return Token(kind, inner.replace(quote * 2, quote), at + 1), match.end()
    if _ends_value(before) and (match := _JOIN_AFTER_VALUE.match(text, at)):
        return Token("word", _WORDS[match.group()], at + 1), match.end()
    if match := _NAME.match(text, at):
        word = match.group()
        plain = _WORDS.get(word, word.lower())
        if plain in KEYWORDS:
            return Token("word", plain, at + 1), match.end()
        return Token("name", word, at + 1), match.end()
    if match := _SIGN.match(text, at):
        sign = _SIGNS.get(match.group(), match.group())
        kind = "word" if sign in _WORDS else "sign"
        return Token(kind, _WORDS.get(sign, sign), at + 1), match.end()
    return fail(f"{text[at]!r}", at + 1, "a name, a number, a text in quotes or an operator")


def _number(text: str, match: re.Match[str]) -> tuple[Token, int]:
    at = match.end()
    while at < len(text) and text[at] == " ":
        at += 1
    unit, end = _unit(text, at)
    return Token("number", match.group(), match.start() + 1, unit), end if unit else match.end()


def _unit(text: str, at: int) -> tuple[str, int]:
    """The longest unit that begins here, and where it ends; '' where none does."""
    match = _SPACED_UNIT.match(text, at) or _UNIT.match(text, at)
    if match is None:
        return "", at
    run = match.group()
    word = _NAME.match(run)
    if word and _WORDS.get(word.group(), word.group().lower()) in KEYWORDS:
        return "", at
    for end in _ends(run):
        if code := read_unit(run[:end]):
            return code, at + end
    return "", at


def _ends(run: str) -> list[int]:
    """Where a unit may end within a run: at its end, before a sign, or between Chinese characters; longest first."""
    inside = (i for i in range(1, len(run)) if run[i] in "*/^-" or "一" <= run[i] <= "鿿")
    return sorted({len(run), *inside}, reverse=True)[:12]


def _ends_value(token: Token | None) -> bool:
    return token is not None and (token.kind in {"number", "text"} or token.text == ")")


def fail(found: str, place: int, expected: str, todo: str = "") -> NoReturn:
    """Raise InputError for what stands at a character of the expression."""
    raise InputError(found, where=f"expression, character {place}", expected=expected, todo=todo)
