"""Reference values of a cohort: built under disclosure control, and asked for.

`layout` says who counts and in which group, `summary` turns one variable into rows, `build` makes a set of
them, `sheet` writes its data sheet, `placing` puts one value among them, `doors` is the part of a View.
"""
