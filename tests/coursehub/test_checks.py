"""Each system check of the settings, made to fail and to pass."""

import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from coursehub import checks, registered

KEY = Fernet.generate_key().decode()
GOOD = {"TRAINERCENTRAL_URL": "https://academy.trainercentral.com", "ZOHO_ACCOUNTS_URL": "https://accounts.zoho.eu"}
SANDBOX = "http://127.0.0.1:8900"


def ids(found) -> list[str]:
    return [message.id for message in found]


@pytest.mark.parametrize("keys", [[], [""], ["too-short"], [KEY, "too-short"]])
def test_keys_that_cannot_be_used_are_an_error_that_does_not_show_them(settings, keys):
    settings.TOKEN_ENCRYPTION_KEYS = keys
    (error,) = checks.token_encryption_keys()
    assert (error.id, bool(error.hint)) == ("coursehub.E001", True)
    assert not any(key and key in f"{error.msg} {error.hint}" for key in keys)


@pytest.mark.parametrize("keys", [[KEY], [KEY, Fernet.generate_key().decode()]])
def test_usable_keys_pass(settings, keys):
    settings.TOKEN_ENCRYPTION_KEYS = keys
    assert checks.token_encryption_keys() == []


@pytest.fixture
def production(settings):
    """Not a demo, with addresses as they should be."""
    settings.DEMO, settings.ALLOWED_TRAINERCENTRAL_HOSTS, settings.ALLOWED_ACCOUNTS_HOSTS = False, [], []
    for name, address in GOOD.items():
        setattr(settings, name, address)
    return settings


def test_addresses_of_the_vendor_pass(production):
    assert checks.remote_addresses() == []


@pytest.mark.parametrize("ending", ["com", "in", "ca", "eu", "com.au", "jp", "sa"])
def test_academies_of_every_data_centre_pass(production, ending):
    production.TRAINERCENTRAL_URL = f"https://academy.trainercentral.{ending}"
    assert checks.remote_addresses() == []


PLACES = [
    *("zoho.com", "zoho.eu", "zoho.in", "zoho.com.au", "zoho.jp", "zohocloud.ca", "zoho.sa", "zoho.uk", "zoho.com.cn"),
    *("zoho.ae", "zoho.sg"),
]


@pytest.mark.parametrize("host", PLACES)
def test_accounts_servers_and_api_hosts_of_every_data_centre_pass(production, host):
    production.ZOHO_ACCOUNTS_URL = f"https://accounts.{host}"
    production.TRAINERCENTRAL_URL = f"https://trainercentral.{host}"
    assert checks.remote_addresses() == []


def test_spelling_of_an_accounts_server_that_stands_on_single_pages_passes_by_hand_only(production):
    for host in ("accounts.zoho.ca", "accounts.zohocloud.jp", "accounts.zohocloud.sa", "accounts.zoho.au"):
        production.ZOHO_ACCOUNTS_URL = f"https://{host}"
        assert ids(checks.remote_addresses()) == ["coursehub.E002"]
        production.ALLOWED_ACCOUNTS_HOSTS = [host]
        assert checks.remote_addresses() == []
        production.ZOHO_ACCOUNTS_URL = f"http://{host}"
        assert ids(checks.remote_addresses()) == ["coursehub.E002"]


def test_each_setting_opens_its_own_server_only(production):
    production.TRAINERCENTRAL_URL = production.ZOHO_ACCOUNTS_URL = "https://learn.example.org"
    production.ALLOWED_TRAINERCENTRAL_HOSTS = ["learn.example.org"]
    (error,) = checks.remote_addresses()
    assert error.msg.startswith("ZOHO_ACCOUNTS_URL")
    production.ALLOWED_TRAINERCENTRAL_HOSTS, production.ALLOWED_ACCOUNTS_HOSTS = [], ["learn.example.org"]
    (error,) = checks.remote_addresses()
    assert error.msg.startswith("TRAINERCENTRAL_URL")


def test_learners_site_is_no_base_of_the_api(production):
    production.TRAINERCENTRAL_URL = "https://academy.trainercentralsite.com"
    (error,) = checks.remote_addresses()
    assert "learners' site" in error.hint


def test_missing_id_of_the_academy_or_client_is_a_warning(production):
    production.TRAINERCENTRAL_ORG_ID, production.ZOHO_CLIENT_ID, production.ZOHO_CLIENT_SECRET = "", "1000.X", ""
    (warning,) = checks.named_academy()
    assert (warning.id, warning.is_serious()) == ("coursehub.W001", False)
    assert "TRAINERCENTRAL_ORG_ID, ZOHO_CLIENT_SECRET" in warning.msg
    production.TRAINERCENTRAL_ORG_ID, production.ZOHO_CLIENT_SECRET = "7", "s"
    assert checks.named_academy() == []


@pytest.mark.parametrize("name", sorted(GOOD))
@pytest.mark.parametrize(
    "address",
    [
        "",
        SANDBOX,
        "https://127.0.0.1:8900",
        "https://sandbox:8900",
        "http://academy.trainercentral.com",
        "http://accounts.zoho.com",
        "https://trainercentral.com.example.org",
        "https://example.org/academy.trainercentral.com",
        "https://academy.trainercentral.com@example.org",
        "https://notaccounts.zoho.com",
        "https://accounts.zoho.com.example.org",
        "https://[::1",
        "academy.trainercentral.com",
    ],
)
def test_any_other_address_is_an_error_outside_a_demo(production, name, address):
    setattr(production, name, address)
    (error,) = checks.remote_addresses()
    assert (error.id, bool(error.hint)) == ("coursehub.E002", True)
    assert error.msg.startswith(name)


def test_sandbox_passes_in_a_demo_only(production):
    production.TRAINERCENTRAL_URL = production.ZOHO_ACCOUNTS_URL = SANDBOX
    assert ids(checks.remote_addresses()) == ["coursehub.E002", "coursehub.E002"]
    production.DEMO = True
    assert checks.remote_addresses() == []
    production.TRAINERCENTRAL_URL = production.ZOHO_ACCOUNTS_URL = "http://sandbox:8900"  # a container beside this one
    assert checks.remote_addresses() == []


@pytest.mark.parametrize("address", ["http://accounts.zoho.com", "https://example.org", "http://10.0.0.5:8900"])
def test_demo_is_open_to_this_machine_and_to_the_vendor_only(production, address):
    production.DEMO = True
    production.TRAINERCENTRAL_URL = production.ZOHO_ACCOUNTS_URL = address
    assert ids(checks.remote_addresses()) == ["coursehub.E002", "coursehub.E002"]


def test_academys_own_domain_passes_when_it_is_named_and_only_over_https(production):
    production.TRAINERCENTRAL_URL = "https://learn.example.org"
    production.ALLOWED_TRAINERCENTRAL_HOSTS = ["learn.example.org"]
    assert checks.remote_addresses() == []
    production.TRAINERCENTRAL_URL = "http://learn.example.org"
    assert ids(checks.remote_addresses()) == ["coursehub.E002"]


@pytest.mark.parametrize("command", [["manage.py", "work"], ["-m", "coursehub.web"], ["manage.py", "token_status"]])
def test_nothing_starts_outside_a_demo_with_the_sandboxs_address(database, command):
    environment = {**os.environ, "DEMO": "false", "TRAINERCENTRAL_URL": SANDBOX, "PORT": "1"}
    process = [sys.executable, *command]
    started = subprocess.run(process, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert started.returncode != 0
    assert "coursehub.E002" in started.stderr


def test_a_path_under_which_nothing_can_be_called_is_an_error(monkeypatch):
    assert checks.registered_paths() == []
    monkeypatch.setattr(registered, "PATHS", {})
    for path in ("invitations.tasks.tick", "invitations.tasks.tock", "invitations.nowhere.tick"):
        registered.note(path, "a tick")
    assert [error.msg.partition(" ")[0] for error in checks.registered_paths()] == [
        "invitations.tasks.tock",
        "invitations.nowhere.tick",
    ]
