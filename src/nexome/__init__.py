"""Nexome: an open multi-omics data centre in one install."""
