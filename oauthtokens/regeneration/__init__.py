"""New tokens for the sets, by people: consents, the exchange, and sessions in which all that are due get theirs."""
