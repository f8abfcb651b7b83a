"""Tokens are random, recognisable, and kept only as a hash."""

import hashlib

from nexome.access.identity import TOKEN_PREFIX, new_token, token_hash


def test_tokens_differ_and_hold_256_bits():
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    for token in tokens:
        assert token.startswith(TOKEN_PREFIX)
        assert len(token) - len(TOKEN_PREFIX) == 43  # 256 bits in base64 without padding


def test_a_hash_is_sha_256():
    assert token_hash("nxm_x") == hashlib.sha256(b"nxm_x").hexdigest()
