"""Harmonising cohorts: mappings as data, how they are applied, and the evidence for and against them."""
