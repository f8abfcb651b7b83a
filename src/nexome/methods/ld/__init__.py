"""Linkage disequilibrium: r, r² and D′ of pairs of variants, clumping and pruning by them.

`packed` holds genotypes two bits each, `pairs` counts pairs of them, `measures` turns counts into r and
D′, `dosages` works on imputed dosages, `clump` groups associations. Arrays in, arrays out.
"""
