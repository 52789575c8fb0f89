"""One server of moto's for all tests of ``pull``, and a server in front of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pull_world import Account, Front, Rules, component, make_account

from tenantproof.aws import Connection
from tenantproof.aws.deadline import Deadline
from tenantproof.aws.session import Aws, connect
from tenantproof.aws.settings import Limits

QUICK = Limits(connect_seconds=2, read_seconds=5, call_seconds=10, attempts=1)


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def account(moto_url: str) -> Account:
    return make_account(moto_url)


@pytest.fixture(scope="session")
def front_server(moto_url: str) -> Iterator[Front]:
    front = Front(moto_url)
    yield front
    front.shutdown()
    front.server_close()


@pytest.fixture
def front(front_server: Front, account: Account) -> Front:
    """The server in front, with nothing that fails, and an inference component."""
    url = "s3://ml-artifacts-open/adapters/one.tar.gz"
    adapter = component(account.id, "us-east-1", "adapter", "models", url)
    front_server.rules = Rules(components={"us-east-1": [adapter]})
    return front_server


@pytest.fixture(scope="session")
def connected(
    account: Account, front_server: Front, tmp_path_factory: pytest.TempPathFactory
) -> Aws:
    keys = account.keys
    with pytest.MonkeyPatch.context() as patch:
        _no_configuration(patch, tmp_path_factory)
        patch.setenv("AWS_ACCESS_KEY_ID", keys.access)
        patch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret)
        patch.setenv("AWS_SESSION_TOKEN", keys.token)
        connection = Connection(region="us-east-1", endpoint_url=front_server.url)
        return connect(connection, Deadline.after(3600), QUICK)


def _no_configuration(patch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """None of the developer's own."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    nowhere = str(tmp_path_factory.getbasetemp() / "none")
    patch.setenv("AWS_CONFIG_FILE", nowhere)
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", nowhere)
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def session(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    connected: Aws,
    front: Front,
) -> Aws:
    """The session with the account, and nothing that fails in front of it yet."""
    _no_configuration(monkeypatch, tmp_path_factory)
    return connected


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "snapshot"
