"""File formats of the outside world, one module each, as Arrow tables. Knows nothing but nexome.model."""
