"""A session with AWS: whose credentials, which clients, and what of it is secret."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.request import getproxies

from tenantproof import __version__
from tenantproof.aws.calls import call
from tenantproof.aws.deadline import Deadline, OverdueError, in_time
from tenantproof.aws.failures import CallFailedError, Failure
from tenantproof.aws.reasons import NO_CREDENTIALS, call_failed, credentials_words
from tenantproof.aws.redaction import Secrets
from tenantproof.aws.settings import Connection, Limits
from tenantproof.aws.transport import bound

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient
    from botocore.credentials import ReadOnlyCredentials

Result = TypeVar("Result")

SESSION_NAME = "tenantproof"
GLOBAL = {"iam", "organizations", "sts"}
"""Services that can be asked without a region."""
SOMEWHERE = "us-east-1"
"""The region in which a service is asked that needs none."""
GIVEN = ("AccessKeyId", "SecretAccessKey", "SessionToken")
OF_THE_ROLE = {
    Failure.ACCESS_DENIED,
    Failure.CREDENTIALS,
    Failure.INVALID,
    Failure.NOT_FOUND,
}
"""Failures of AssumeRole after which there are no credentials."""


class Aws:
    """A session with AWS, made by :func:`connect`.

    Attributes:
        region: the region of the options or of boto3's own chain.
        limits: what each call may take.
    """

    def __init__(
        self,
        session: boto3.Session,
        connection: Connection,
        deadline: Deadline,
        limits: Limits,
        secrets: Secrets,
    ) -> None:
        self._session = session
        self._connection = connection
        self._deadline = deadline
        self._secrets = secrets
        self._clients: dict[tuple[str, str], BaseClient] = {}
        self.limits = limits
        self.region: str | None = session.region_name

    @cached_property
    def identity(self) -> str:
        """Who calls: the ARN that ``sts:GetCallerIdentity`` tells, asked when first wanted.

        Raises:
            CallFailedError: AWS does not tell.
        """
        reply = call(self, self.client("sts"), "GetCallerIdentity", {}, self._deadline)
        if not (arn := reply.get("Arn")):
            raise CallFailedError(Failure.BAD_REPLY, "GetCallerIdentity: the reply has no ARN")
        return str(arn)

    def client(self, service: str, *, region: str | None = None) -> BaseClient:
        """A client of boto3's with adaptive retries and timeouts; the same for the same arguments.

        Args:
            service: as boto3 names it.
            region: another region than that of the session.

        Raises:
            CallFailedError: the service needs a region and there is none; the region or the URL
                of the endpoint is none.
        """
        where = region or self.region or (SOMEWHERE if service in GLOBAL else None)
        if where is None:
            raise CallFailedError(
                Failure.INVALID,
                f"{service} is asked in a region, and there is none: name it with --region, "
                "AWS_REGION or in the profile",
            )
        if (service, where) not in self._clients:
            self._clients[service, where] = self._made(service, where)
        return self._clients[service, where]

    def _made(self, service: str, region: str) -> BaseClient:
        from botocore.config import Config  # noqa: PLC0415

        config = Config(
            connect_timeout=self.limits.connect_seconds,
            read_timeout=self.limits.read_seconds,
            retries={"mode": "adaptive", "total_max_attempts": self.limits.attempts},
            user_agent_extra=f"tenantproof/{__version__}",
        )
        make: Any = self._session.client
        url = self._connection.endpoint_url
        client: BaseClient = _of_the_client(
            lambda: make(service, region_name=region, endpoint_url=url, config=config),
            self._secrets,
        )
        bound(client, self.limits.reply_bytes, self._secrets)
        return client

    def redacted(self, text: str) -> str:
        """A text without the session's secrets and without users and passwords of URLs."""
        return self._secrets.redacted(text)

    def excerpt(self, text: str) -> str:
        """The first line of a text of others, redacted, short, control characters escaped."""
        return self._secrets.excerpt(text)


def connect(connection: Connection, deadline: Deadline, limits: Limits | None = None) -> Aws:
    """A session with the credentials that boto3's own chain finds, or of a role.

    Nothing is asked but what the chain itself asks, and ``sts:AssumeRole`` where there is a role.
    The credentials of a role are not renewed: when they expire, calls fail.

    Args:
        connection: what the options say.
        deadline: of the whole run.
        limits: of each call.

    Raises:
        CallFailedError: there are no credentials, or the region or the endpoint's URL is none;
            the message says what to do.
    """
    limits = limits or Limits()
    secrets = Secrets()
    secrets.add_url(connection.endpoint_url)
    for url in (*getproxies().values(), *_endpoints_of_the_environment()):
        secrets.add_url(url)
    session = _session(connection, secrets)
    _learn(_credentials(session, deadline.within(limits.credentials_seconds), secrets), secrets)
    aws = Aws(session, connection, deadline, limits, secrets)
    aws.client("sts")
    return _assumed(aws, connection, deadline, secrets) if connection.role else aws


def _endpoints_of_the_environment() -> list[str]:
    return [value for name, value in os.environ.items() if name.startswith("AWS_ENDPOINT_URL")]


def _session(connection: Connection, secrets: Secrets) -> boto3.Session:
    import boto3  # noqa: PLC0415

    return _of_credentials(
        lambda: boto3.Session(profile_name=connection.profile, region_name=connection.region),
        secrets,
    )


def _credentials(
    session: boto3.Session, deadline: Deadline, secrets: Secrets
) -> ReadOnlyCredentials:
    """What the chain finds now; a process, a browser or a server may be asked for them."""

    def found() -> ReadOnlyCredentials | None:
        credentials = session.get_credentials()
        return credentials.get_frozen_credentials() if credentials is not None else None

    frozen = _of_credentials(lambda: in_time(found, deadline), secrets)
    if frozen is None or not frozen.access_key or not frozen.secret_key:
        raise CallFailedError(Failure.CREDENTIALS, NO_CREDENTIALS)
    return frozen


def _learn(credentials: ReadOnlyCredentials, secrets: Secrets) -> None:
    for secret in (credentials.access_key, credentials.secret_key, credentials.token):
        secrets.add(secret)


def _of_credentials(work: Callable[[], Result], secrets: Secrets) -> Result:
    """What looking for credentials returns; whatever it raises is an error about credentials."""
    from botocore.exceptions import ClientError, ProfileNotFound  # noqa: PLC0415

    try:
        return work()
    except OverdueError:
        words = (
            "looking for credentials took too long (credential_process, SSO or the instance's "
            "metadata do not answer)"
        )
    except ProfileNotFound as error:
        words = f"{credentials_words(error)}; there are: {_profiles()}"
    except ClientError as error:
        words = f"the profile's role cannot be assumed: {call_failed(error, secrets.excerpt)}"
    except Exception as error:  # processes, plugins and parsers raise anything
        words = credentials_words(error) or (
            f"the credentials cannot be read ({type(error).__name__}): "
            "try `aws sts get-caller-identity` with the same profile"
        )
    raise CallFailedError(Failure.CREDENTIALS, secrets.excerpt(words))


def _profiles() -> str:
    from botocore.session import Session  # noqa: PLC0415

    try:
        return ", ".join(sorted(Session().available_profiles)) or "none"
    except Exception:  # only said in addition
        return "none that can be read"


def _of_the_client(work: Callable[[], Result], secrets: Secrets) -> Result:
    try:
        return work()
    except ValueError as error:
        raise CallFailedError(Failure.INVALID, secrets.excerpt(str(error))) from None
    except Exception as error:  # nothing of botocore's gets out
        raise call_failed(error, secrets.excerpt) from None


def _assumed(aws: Aws, connection: Connection, deadline: Deadline, secrets: Secrets) -> Aws:
    import boto3  # noqa: PLC0415

    parameters = {"RoleArn": connection.role, "RoleSessionName": SESSION_NAME}
    try:
        reply = call(aws, aws.client("sts"), "AssumeRole", parameters, deadline)
    except CallFailedError as error:
        failure = Failure.CREDENTIALS if error.failure in OF_THE_ROLE else error.failure
        raise CallFailedError(
            failure, f"the role {connection.role} cannot be assumed: {error.message}", error.code
        ) from None
    given = reply.get("Credentials", {})
    if not all(given.get(name) for name in GIVEN):
        raise CallFailedError(
            Failure.BAD_REPLY,
            f"the role {connection.role} cannot be assumed: the reply has no credentials",
        )
    session = boto3.Session(
        profile_name=connection.profile,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name=aws.region,
    )
    for name in GIVEN:
        secrets.add(given[name])
    return Aws(session, connection, deadline, aws.limits, secrets)
