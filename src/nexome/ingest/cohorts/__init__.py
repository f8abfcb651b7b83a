"""What comes in of cohorts: a dictionary is inferred, a table is checked, staged and published."""
