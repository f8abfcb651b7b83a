"""Harmonising association rows: arrays in, arrays and the rules that touched each row out. No files.

`rules` names every rule by which a row is dropped or changed; `effects`, `alleles`, `frequency`,
`build` and `lift` hold one step each.
"""
