"""The console's pages of the token sets, and what lies outside the console."""
