"""Reference values: how a measurement is distributed in a population, by sex and age.

`distribution` holds weighted values in levels, `histograms` counts millions of rows into them, `percentiles`
smooths them (Harrell–Davis) with intervals, `limits` gives the 2.5/97.5 limits, `lms` curves over age (BCCG),
`partitions` tells whether groups need limits of their own, `outliers` and `rounding` what their names say.
Arrays in, arrays out. What may be shown to whom is decided in `access.disclosure`, not here.
"""
