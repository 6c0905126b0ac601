"""What the token commands share."""


def name_of(number: int) -> str:
    """How a set, or number 0, begins a sentence."""
    return f"Token set {number}" if number else "The client's own access token"
