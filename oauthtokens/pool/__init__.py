"""Which set is used, and how its access token is kept good: selection, the refresh under its lease, handing out."""
