"""The words of the house: terms, stored fields, genome, errors, settings. No input or output."""
