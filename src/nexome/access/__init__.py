"""Who may see what, and why. Everything that answers a person reads through a View."""
