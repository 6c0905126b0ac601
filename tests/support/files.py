"""Files as trainers upload them."""


def csv_of(*emails: str) -> bytes:
    """A CSV with these addresses and a name each."""
    return ("email,first name,last name\n" + "".join(f"{email},A,B\n" for email in emails)).encode()
