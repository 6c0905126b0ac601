"""Making a server a replica set: change streams and transactions exist only there."""

import time
from collections.abc import Callable
from typing import Any

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure
from pymongo.uri_parser import parse_uri

from coursehub.mongo.types import Document

_NOT_YET_INITIALIZED, _ALREADY_INITIALIZED = 94, 23


def ensure_replica_set(
    uri: str, *, member: str = "", timeout_seconds: float = 60, still_alive: Callable[[], bool] = lambda: True
) -> None:
    """Initiate the replica set named in `uri` with one member, unless it is initiated already.

    `member` ("host:port") is how clients reach the server; the first host of `uri` by default. A set
    of one whose only member has another address (the port changed) is reconfigured. Returns when the
    set has a primary. Raises TimeoutError, or pymongo's error when the server refuses.
    """
    parsed = parse_uri(uri)
    name = parsed["options"].get("replicaSet")
    hosts = [f"{host}:{port}" for host, port in parsed["nodelist"]]
    if not name:
        return
    deadline = time.monotonic() + timeout_seconds
    with MongoClient(hosts[0], directConnection=True, serverSelectionTimeoutMS=500, **_credentials(parsed)) as client:
        while True:
            try:
                _initiate_or_readdress(client, name, hosts, member)
                if client.admin.command("hello")["isWritablePrimary"] or len(hosts) > 1:
                    return
            except AutoReconnect:
                pass
            if time.monotonic() > deadline or not still_alive():
                raise TimeoutError(f"the replica set {name} has no primary")
            time.sleep(0.05)


def _credentials(parsed: dict[str, Any]) -> dict[str, Any]:
    if not parsed["username"]:
        return {}
    options = {
        "username": parsed["username"],
        "password": parsed["password"],
        "authSource": parsed["options"].get("authSource", "admin"),
    }
    return {key: value for key, value in options.items() if value}


def _initiate_or_readdress(client: MongoClient[Document], name: str, hosts: list[str], member: str) -> None:
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != _NOT_YET_INITIALIZED:
            raise
        members = [{"_id": number, "host": host} for number, host in enumerate([member] if member else hosts)]
        try:
            client.admin.command("replSetInitiate", {"_id": name, "members": members})
        except OperationFailure as raced:
            if raced.code != _ALREADY_INITIALIZED:
                raise
        return
    if member and len(config["members"]) == 1 and config["members"][0]["host"] != member:
        config["members"][0]["host"] = member
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)
