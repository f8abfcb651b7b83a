"""Measuring the house: the standard synthetic store, the questions asked of it, and its peers."""
