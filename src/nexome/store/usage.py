"""How use is counted: the kinds and subjects of the catalogue's counters, and response times in buckets.

The web room writes these rows, `report.measures` reads them. One row a day, kind and subject; a row only
ever grows, so that several servers and several days simply add up. Kinds without a dash are questions a View
was asked.

    web-pages     a kind of page     pages sent to readers
    web-api       a route            questions answered
    web-downloads a route            whole studies sent to the end
    web-visits, web-visitors ''      as `model.measures` defines them
    web-bytes     a door             bytes of bodies, readers' own
    web-robots    requests | bytes   of robots, which are counted nowhere else but in times and errors
    web-own       requests | bytes   of the owner, likewise
    web-status    2xx … 5xx          answers of pages and API
    web-time      door and bucket    answers of pages and API, by the time until they began: 'api 07'
    server-up     ''                 seconds in which a server ran
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

PAGES: Final = "web-pages"
API: Final = "web-api"
DOWNLOADS: Final = "web-downloads"
VISITS: Final = "web-visits"
VISITORS: Final = "web-visitors"
BYTES: Final = "web-bytes"
ROBOTS: Final = "web-robots"
OWN: Final = "web-own"
STATUS: Final = "web-status"
TIME: Final = "web-time"
UP: Final = "server-up"

# Bucket k ends at 10^(k/10 − 1) milliseconds: 0.1 ms to 1,000 s, each 26 % wider than the one before.
BUCKETS: Final = 71


def bucket_of(seconds: float) -> int:
    """The bucket of a response time, 0 to BUCKETS − 1.

    >>> bucket_of(0.001), bucket_of(0.0011), bucket_of(0), bucket_of(1e9)
    (10, 11, 0, 70)
    """
    if seconds <= 1e-4:
        return 0
    return min(BUCKETS - 1, math.ceil(10 * math.log10(seconds * 1e3) + 10 - 1e-9))


def bucket_end_ms(bucket: int) -> float:
    """Longest time of a bucket, in milliseconds."""
    return float(10 ** (bucket / 10 - 1))


def bucket_middle_ms(bucket: int) -> float:
    """The middle of a bucket on a log scale: at most 12.2 % from any time in it."""
    return bucket_end_ms(bucket) / 10**0.05


def percentile_ms(counts: Mapping[int, int], share: float) -> float | None:
    """Time within which a share (0 to 1) of answers began: the middle of its bucket, on a log scale.

    At most 12.2 % from the true one. None where nothing was counted.
    """
    total = sum(counts.values())
    if not total:
        return None
    wanted, seen = math.ceil(share * total), 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= wanted:
            return bucket_middle_ms(bucket)
    raise AssertionError


def is_question(kind: str) -> bool:
    """Whether rows of a kind count questions a View was asked: all others have a dash in their name."""
    return "-" not in kind


def time_subject(door: str, bucket: int) -> str:
    """Subject of a TIME row."""
    return f"{door} {bucket:02d}"


def time_buckets(counts: Mapping[str, int], door: str = "") -> dict[int, int]:
    """Answers by bucket, of one door or all, from the rows of TIME by subject."""
    found: dict[int, int] = {}
    for subject, count in counts.items():
        name, _, bucket = subject.partition(" ")
        if door in {"", name}:
            found[int(bucket)] = found.get(int(bucket), 0) + count
    return found
