"""The public test kit: tiny data makers, strategies, abstract store tests, reference pages."""
