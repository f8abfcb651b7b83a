"""What is kept: the root, its association store, its catalogue, its genes."""
