"""What people and programs see over HTTP: pages and the API. Reads through a View only."""
