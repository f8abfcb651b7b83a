"""Files of the outside world as one stream of decompressed bytes, whatever they are packed in.

Packing is told by the first bytes (gzip, bgzip, zstd, plain), never by a name. The SHA-256 of the
source is computed while it is read. A truncated or corrupt source raises FormatError with the last
good line. Does not look at what the bytes mean.
"""

from __future__ import annotations
