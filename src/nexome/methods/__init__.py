"""Numerics: arrays in, arrays out. Knows only nexome.model and libraries; reads and writes nothing."""
