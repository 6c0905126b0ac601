"""Where TrainerCentral and Zoho's accounts servers live, per data centre: the only places that tokens go to unasked.

Sources: the accounts documentation and WorkDrive's page of data centres; `trainercentral.zoho.<dc>` and the endings of
academies as public callers use them. Spellings that stand on single pages (accounts.zoho.ca, accounts.zohocloud.jp)
are not here: they are accepted where a person names them.
"""

from urllib.parse import urlsplit

# What Zoho calls the data centre (`location` in a consent's answer) -> its accounts server.
ACCOUNTS_SERVERS = {
    "us": "accounts.zoho.com",
    "eu": "accounts.zoho.eu",
    "in": "accounts.zoho.in",
    "au": "accounts.zoho.com.au",
    "jp": "accounts.zoho.jp",
    "ca": "accounts.zohocloud.ca",
    "sa": "accounts.zoho.sa",
    "uk": "accounts.zoho.uk",
    "ae": "accounts.zoho.ae",
    "sg": "accounts.zoho.sg",
    "cn": "accounts.zoho.com.cn",
}
_API_HOSTS = frozenset(host.replace("accounts.", "trainercentral.") for host in ACCOUNTS_SERVERS.values())
_ACADEMY_ENDINGS = tuple(f".trainercentral.{ending}" for ending in ("com", "in", "ca", "eu", "com.au", "jp", "sa"))
_LEARNERS_SITES = tuple(f".trainercentralsite.{ending}" for ending in ("com", "in"))


def is_accounts_server(host: str) -> bool:
    """Whether one of Zoho's accounts servers has this name."""
    return host in ACCOUNTS_SERVERS.values()


def is_api(host: str) -> bool:
    """Whether TrainerCentral's API answers under this name: an academy's, or the data centre's."""
    return host in _API_HOSTS or host.endswith(_ACADEMY_ENDINGS)


def is_learners_site(host: str) -> bool:
    """Whether this is where learners read their courses; the API is elsewhere."""
    return host.endswith(_LEARNERS_SITES)


def is_local(address: str) -> bool:
    """Whether an address leads to this machine, or to a container beside this one: a name without a dot."""
    host = scheme_and_host(address)[1]
    return is_loopback(address) or (bool(host) and "." not in host and ":" not in host)


def is_loopback(address: str) -> bool:
    """Whether an address leads to this machine."""
    return scheme_and_host(address)[1] in ("127.0.0.1", "localhost", "::1")


def scheme_and_host(address: str) -> tuple[str, str]:
    """("https", "accounts.zoho.com"); empty texts for what is no address, such as an unfinished IPv6 one."""
    try:
        parts = urlsplit(address)
        return parts.scheme, parts.hostname or ""
    except ValueError:
        return "", ""
