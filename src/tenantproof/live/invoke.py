"""Real invocations: the wall itself is asked, by somebody whose requests findings are about.

For teams with a sandbox: an invocation that gets across is one. Each is sent once, with ``{}`` as
its body. Who is denied gets ``AccessDeniedException``; any answer of the model or of what lies
before it says that the request got across.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from tenantproof.aws import (
    Aws,
    CallFailedError,
    Connection,
    Deadline,
    Failure,
    Limits,
    call,
    connect,
)
from tenantproof.isolation import Evidence, Finding, Opinion, Probe, Report, Standing
from tenantproof.live.asking import Watch
from tenantproof.live.bounds import MOST_OUTAGES, Bounds
from tenantproof.live.cases import with_case, write_case
from tenantproof.live.confirm import with_evidence
from tenantproof.live.context import Mentions
from tenantproof.request import ContextValue

INVOKE = "InvokeEndpoint"
ACTION = f"sagemaker:{INVOKE}"

DENIED = {"AccessDenied", "AccessDeniedException"}
ACROSS = {"ModelError", "ModelNotReadyException", "ValidationError"}
"""Errors that come from behind the wall: of the model, of the endpoint, of what is there.

By "Errors" of InvokeEndpoint in the SageMaker API Reference. Not its
``InternalDependencyException``: what decides about access is one of those that are depended on.
"""

_CHECKED_BEFORE = re.compile(r"\bvalidation errors? detected\b", re.IGNORECASE)
"""A ``ValidationError`` of the form of the request, which is looked at before who sends it."""
_DENIES_AN_ACTION = re.compile(r"\bnot authorized to perform: *([\w-]+:\w+)", re.IGNORECASE)
_DENIES_FOR_ANOTHER_POLICY = re.compile(r"\b(session policy|vpc endpoint policy)\b", re.IGNORECASE)
"""What a denial says of itself: "Troubleshoot access denied error messages" of the IAM guide.

Policies of the session that the profile has, and of the network that it is in, are none of the
principal's.
"""

_SOMEWHERE = "us-east-1"

ANOTHER = "the profile is another principal"

_TARGET = "sagemaker:targetmodel"

_ENDPOINT_NAME = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9])*")
_HEADER = re.compile(r"[!-~]([ -~]*[!-~])?")
"""What a header holds to the letter: at its ends, HTTP drops spaces."""


@dataclass(frozen=True)
class Invocation:
    """One call: which endpoint, and which model of it."""

    endpoint: str
    target_model: str | None

    @property
    def region(self) -> str:
        """The endpoint's region."""
        return self.endpoint.split(":", 5)[3]

    @property
    def parameters(self) -> dict[str, Any]:
        """As the API takes them."""
        name = self.endpoint.rpartition("/")[2]
        given = {} if self.target_model is None else {"TargetModel": self.target_model}
        return {"EndpointName": name, **given, "ContentType": "application/json", "Body": b"{}"}


@dataclass(frozen=True)
class Answered:
    """What an invocation showed.

    Attributes:
        got_across: whether the request got to the endpoint; None where that is not known.
        said: the answer in its own word.
        reason: why nothing is known, or what the answer says.
    """

    got_across: bool | None
    said: str | None
    reason: str | None = None


class Invoker:
    """Invokes endpoints as one identity.

    Attributes:
        identity: the ARN of who invokes.
        interrupted: whether Ctrl-C ended the invoking.
    """

    def __init__(
        self,
        aws: Aws,
        bounds: Bounds,
        announce: Callable[[str], None],
        *,
        cases: Path | None = None,
    ) -> None:
        self._aws = aws
        self._bounds = bounds
        self._announce = announce
        self._cases = cases
        self._is_tls = "true" if _is_tls(aws) else "false"
        self.identity = aws.identity
        self.interrupted = False

    @classmethod
    def of(
        cls,
        connection: Connection,
        bounds: Bounds,
        announce: Callable[[str], None],
        *,
        cases: Path | None = None,
    ) -> Self:
        """Find out who invokes; what fails later must not be that.

        Args:
            connection: of the profile; botocore must not send an invocation again by itself.
            bounds: how many invocations, and for how long.
            announce: told what is going to be done, before it is.
            cases: the folder to which each refuted request is written; None for none.

        Raises:
            CallFailedError: there are no credentials, or AWS does not take them.
        """
        once = Limits(attempts=1)
        aws = connect(connection, Deadline.after(bounds.seconds), once)
        return cls(aws, bounds, announce, cases=cases)

    def on(self, report: Report, watch: Watch | None = None) -> Report:
        """The report with what the invocations show.

        What was said of the findings before is kept. A finding is refuted if anybody refutes it,
        and confirmed if each of its requests is confirmed by somebody.

        Args:
            report: the findings, with the requests that they rest on.
            watch: told how many of the invocations were made.

        Returns:
            The same findings in the same order; only a PROVED that is refuted changes its verdict,
            to UNKNOWN.
        """
        planned = {
            invocation: None
            for finding in report.findings
            for probe in finding.probes
            if isinstance(invocation := self._planned(probe), Invocation)
        }
        answers = self._sent(list(planned), watch) if planned else {}
        findings = tuple(self._judged(finding, answers) for finding in report.findings)
        return replace(report, findings=findings)

    # -- what can be asked -----------------------------------------------------------------------

    def _planned(self, probe: Probe) -> Invocation | str:
        """The invocation that is a request, or why there is none."""
        request, caller = probe.request, probe.access.caller
        if not _is_one_of(self.identity, request.principal.arn):
            return ANOTHER
        if request.action != ACTION:
            return f"not a request for {ACTION}"
        if not probe.is_deployed:
            return "cannot be brought about: the policies are those after a step"
        if caller.session_policies and _is_session(self.identity):
            return "cannot be brought about: the session policy is not known to be the profile's"
        if not _is_endpoint_of(self.identity, request.resource):
            return "cannot be brought about: not an endpoint of the profile's account"
        target = request.keys.get(_TARGET)
        if isinstance(target, tuple):
            return "cannot be brought about: several TargetModels"
        if target is not None and not _HEADER.fullmatch(target):
            return f"cannot be brought about: no header holds the TargetModel {target!r:.80}"
        invocation = Invocation(request.resource, target)
        odd = sorted(self._odd_keys(probe, invocation))
        return f"cannot be brought about: {', '.join(odd)}" if odd else invocation

    def _odd_keys(self, probe: Probe, invocation: Invocation) -> Iterator[str]:
        """The keys that the request or the policies name and the invocation does not fix."""
        request = probe.request
        layers = probe.access.layers()
        mentioned = Mentions.of(policy for layer in layers for policy in layer.policies).names
        given = {name.lower(): name for name in request.context}
        fixed = self._fixed(probe, invocation)
        for key, name in {**given, **mentioned}.items():
            if key not in fixed or fixed[key] != request.keys.get(key):
                yield name

    def _fixed(self, probe: Probe, invocation: Invocation) -> Mapping[str, ContextValue | None]:
        """The keys that the invocation has for certain, and that it has not.

        Tags and everything else of a session may be other than the role's: of a session only what
        follows from the role is certain.
        """
        principal = probe.request.principal
        fields = self.identity.split(":", 5)
        own = principal.keys
        of_role = {"aws:principalarn", "aws:principalaccount", "aws:principaltype"}
        certain = {key: own[key] for key in of_role & own.keys()}
        return {
            **(certain if _is_session(self.identity) else own),
            "aws:requestedregion": invocation.region,
            "aws:resourceaccount": fields[4],
            "aws:securetransport": self._is_tls,
            "aws:principalisawsservice": "false",
            "aws:viaawsservice": "false",
            _TARGET: invocation.target_model,
        }

    # -- asking ----------------------------------------------------------------------------------

    def _sent(
        self, planned: Sequence[Invocation], watch: Watch | None
    ) -> dict[Invocation, Answered]:
        """The answer to each invocation, as far as calls and time go."""
        sent = planned[: self._bounds.calls]
        self._announce(_announcement(self.identity, sent, len(planned) - len(sent)))
        sending = _Sending(self._aws, Deadline.after(self._bounds.seconds))
        answers: dict[Invocation, Answered] = {}
        try:
            for done, invocation in enumerate(sent, start=1):
                answers[invocation] = sending.answer(invocation)
                if watch is not None:
                    watch(done, len(sent))
        except KeyboardInterrupt:
            self.interrupted = True
        rest = _failed(Failure.BUDGET, f"no more than {len(sent)} real invocations")
        if self.interrupted:
            rest = _failed(Failure.INTERRUPTED, "interrupted before there was an answer")
        return {each: answers.get(each, rest) for each in planned}

    # -- what it shows ---------------------------------------------------------------------------

    def _judged(self, finding: Finding, answers: Mapping[Invocation, Answered]) -> Finding:
        """A finding with the opinions about its requests beside those that it has."""
        before = finding.evidence
        opinions: list[Opinion] = []
        for probe in finding.probes:
            planned = self._planned(probe)
            if isinstance(planned, Invocation):
                opinions.append(self._opinion(finding, probe, planned, answers[planned]))
            elif before is None:
                opinions.append(_silent(probe, planned))
        if before is not None and not opinions:
            return finding
        return with_evidence(finding, _together(before, opinions), lambda: _doubt(opinions))

    def _opinion(
        self, finding: Finding, probe: Probe, invocation: Invocation, answered: Answered
    ) -> Opinion:
        decision = probe.decision
        opinion = Opinion(
            Standing.UNCONFIRMED,
            INVOKE,
            probe.request,
            decision.outcome.value,
            answered.said,
            answered.reason,
        )
        if answered.got_across is None:
            return opinion
        note = None
        if not answered.got_across and _is_session(self.identity):
            note = "a session policy of the profile's session would deny it alike"
        if answered.got_across == decision.allowed:
            return replace(opinion, standing=Standing.CONFIRMED, reason=note)
        how = "got across" if answered.got_across else "was denied"
        said = (
            f"tenantproof says {decision.outcome.value}; as {self.identity} the request {how}"
            f" ({answered.reason or answered.said})"
        )
        reason = said if note is None else f"{said}; {note}"
        refuted = replace(opinion, standing=Standing.REFUTED, reason=reason)
        if self._cases is None:
            return refuted
        written = partial(_written, self._cases, finding, probe, invocation)
        return with_case(refuted, written)


@dataclass
class _Sending:
    """Sends one invocation after the other, until that makes no sense anymore."""

    aws: Aws
    deadline: Deadline
    _stopped: Answered | None = None
    _outages: int = 0
    _clients: dict[str, Any] = field(default_factory=dict)

    def answer(self, invocation: Invocation) -> Answered:
        if self._stopped is not None:
            return self._stopped
        try:
            client = self._client(invocation.region)
            reply = call(self.aws, client, INVOKE, invocation.parameters, self.deadline)
        except CallFailedError as error:
            return self._read(error)
        self._outages = 0
        if _is_page(reply):
            return _failed(Failure.BAD_REPLY, "a page, and nothing in it of AWS")
        return Answered(True, "200")

    def _client(self, region: str) -> Any:
        if region not in self._clients:
            self._clients[region] = self.aws.client("sagemaker-runtime", region=region)
        return self._clients[region]

    def _read(self, error: CallFailedError) -> Answered:
        if error.code in DENIED | ACROSS:
            self._outages = 0
            is_of_the_wall = _is_of_the_wall(error)
            got_across = error.code in ACROSS if is_of_the_wall else None
            return Answered(got_across, error.code, error.message)
        failed = _failed(error.failure, error.message)
        self._outages = self._outages + 1 if error.failure.is_outage else 0
        is_of_all = error.failure.is_of_all or self.deadline.is_over
        if is_of_all or self._outages >= MOST_OUTAGES:
            self._stopped = failed
        return failed


def _is_of_the_wall(error: CallFailedError) -> bool:
    """Whether an error says on which side of the principal's policies the request ended."""
    if error.code in ACROSS:
        return not _CHECKED_BEFORE.search(error.message)
    denied = _DENIES_AN_ACTION.search(error.message)
    is_another = denied is not None and denied[1].lower() != ACTION.lower()
    return not is_another and not _DENIES_FOR_ANOTHER_POLICY.search(error.message)


def _is_page(reply: Mapping[str, Any]) -> bool:
    """Whether a reply is what stands on the way to AWS, such as a page to sign in.

    What a model answers is anything; but AWS gives each reply an ID and a status of 200.
    """
    meta = reply.get("ResponseMetadata", {})
    is_html = str(reply.get("ContentType", "")).lower().startswith("text/html")
    return meta.get("HTTPStatusCode") != 200 or (is_html and not meta.get("RequestId"))


def _failed(failure: Failure, message: str) -> Answered:
    return Answered(None, None, f"{failure.value}: {message}")


def _announcement(identity: str, sent: Sequence[Invocation], left_out: int) -> str:
    """What is going to be done: how many calls, as whom, where."""
    counts = Counter(each.endpoint for each in sent)
    where = ", ".join(f"{count} on {endpoint}" for endpoint, count in counts.items())
    more = f" ({left_out} more are beyond the limit of calls)" if left_out else ""
    return f"invoking for real, as {identity}: {where}{more}"


# -- whose requests ----------------------------------------------------------------------------


def _is_tls(aws: Aws) -> bool:
    """Whether invocations go over TLS, which no region changes."""
    client = aws.client("sagemaker-runtime", region=aws.region or _SOMEWHERE)
    return client.meta.endpoint_url.startswith("https:")


def _is_session(identity: str) -> bool:
    return identity.split(":", 5)[-1].startswith("assumed-role/")


def _is_one_of(identity: str, principal: str) -> bool:
    """Whether requests of an identity are those of a principal: of a session, those of its role.

    The name of a role is its own in its account, whatever its path is, which a session's ARN
    does not tell.
    """
    if identity == principal:
        return True
    return _is_session(identity) and _role(identity) == _role(principal) is not None


def _role(arn: str) -> tuple[str, str, str] | None:
    """The partition, the account and the name of the role that an ARN is of, or of a session of."""
    fields = arn.split(":", 5)
    if len(fields) != 6:
        return None
    partition, account = fields[1], fields[4]
    match fields[5].split("/"):
        case ["assumed-role", name, _]:
            return partition, account, name
        case ["role", *_, name]:
            return partition, account, name
        case _:
            return None


def _is_endpoint_of(identity: str, resource: str) -> bool:
    ours, fields = identity.split(":", 5), resource.split(":", 5)
    return (
        len(fields) == 6
        and fields[1:2] == ours[1:2]
        and fields[2] == "sagemaker"
        and fields[4] == ours[4]
        and fields[5].startswith("endpoint/")
        and _ENDPOINT_NAME.fullmatch(fields[5].removeprefix("endpoint/")) is not None
    )


# -- evidence ----------------------------------------------------------------------------------


def _silent(probe: Probe, reason: str) -> Opinion:
    decision = probe.decision.outcome.value
    return Opinion(Standing.UNCONFIRMED, "", probe.request, decision, reason=reason)


def _together(before: Evidence | None, opinions: Sequence[Opinion]) -> Evidence:
    """Refuted if anybody refutes it, confirmed if somebody confirms each request."""
    said = (*(before.opinions if before else ()), *opinions)
    if not said:
        return Evidence(Standing.UNCONFIRMED, (), "no request to ask about")
    if any(each.standing is Standing.REFUTED for each in said):
        return Evidence(Standing.REFUTED, said)
    confirmed = [each.request for each in said if each.standing is Standing.CONFIRMED]
    is_each = all(each.request in confirmed for each in said)
    return Evidence(Standing.CONFIRMED if is_each else Standing.UNCONFIRMED, said)


def _doubt(opinions: Sequence[Opinion]) -> str:
    """Why a proof that is refuted is none."""
    first = next(each for each in opinions if each.standing is Standing.REFUTED)
    return f"a real invocation says otherwise: {first.reason}"


def _written(cases: Path, finding: Finding, probe: Probe, invocation: Invocation) -> Path:
    """What is needed to ask again: the case, and the parameters for the AWS CLI."""
    parameters = {k: v for k, v in invocation.parameters.items() if k != "Body"}
    folder = write_case(cases, finding, probe, (), ())
    text = json.dumps(parameters, indent=2) + "\n"
    (folder / "invoke-endpoint.json").write_text(text, "utf-8")
    return folder
