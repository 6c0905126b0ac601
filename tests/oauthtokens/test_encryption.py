import pytest
from cryptography.fernet import Fernet

from oauthtokens import encryption
from oauthtokens.encryption import ACCESS, REFRESH, Undecryptable

PLACE = {"number": 1, "kind": REFRESH, "generation": 3}


def test_what_was_encrypted_comes_back():
    assert encryption.decrypt(encryption.encrypt("1000.x", **PLACE), **PLACE) == "1000.x"


@pytest.mark.parametrize("elsewhere", [{"number": 2}, {"kind": ACCESS}, {"generation": 4}])
def test_text_of_another_place_is_noticed(elsewhere):
    text = encryption.encrypt("1000.x", **PLACE)
    with pytest.raises(Undecryptable) as caught:
        encryption.decrypt(text, **PLACE | elsewhere)
    assert "1000.x" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "nonsense", "gAAAAA==", "ü"])
def test_what_is_no_ciphertext_is_undecryptable(text):
    with pytest.raises(Undecryptable):
        encryption.decrypt(text, **PLACE)


def test_older_key_still_opens_and_a_missing_one_does_not(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.TOKEN_ENCRYPTION_KEYS = [old]
    text = encryption.encrypt("1000.x", **PLACE)
    settings.TOKEN_ENCRYPTION_KEYS = [new, old]
    assert encryption.decrypt(text, **PLACE) == "1000.x"
    settings.TOKEN_ENCRYPTION_KEYS = [new]
    with pytest.raises(Undecryptable):
        encryption.decrypt(text, **PLACE)
