"""What an answer promises of concrete requests, so that anybody can try to break it.

A proof says that no request does something; a promise decides for one request whether it does. The
prover is not asked here, only the evaluator and the space of requests: a proof is attacked with
deterministic requests when it is made, and by Hypothesis in the pytest plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tenantproof.isolation.coverage import Covered, Retarget
from tenantproof.isolation.findings import Finding
from tenantproof.isolation.inquiry import Inquiry
from tenantproof.isolation.manifest import TenantRule
from tenantproof.isolation.sagemaker import TARGET_MODEL
from tenantproof.policy import PolicySet
from tenantproof.prove.concrete import holds, is_within
from tenantproof.request import ContextValue, Principal, Request


@dataclass(frozen=True)
class Denies:
    """No forbidden request of a principal at an endpoint is allowed.

    Attributes:
        inquiry: the principal, its policies, the endpoint and the actions.
        is_forbidden: of a TargetModel, or of None where a request has none.
        near: patterns near which forbidden models lie, beside those of the policies.
    """

    inquiry: Inquiry
    is_forbidden: Callable[[str | None], bool]
    near: tuple[str, ...]

    @property
    def principal(self) -> Principal:
        """Who makes the requests."""
        return self.inquiry.member.principal

    @property
    def policies(self) -> PolicySet:
        """The policies that decide them."""
        return self.inquiry.member.policies

    @property
    def endpoint(self) -> str:
        """The ARN of the endpoint that they are made to."""
        return self.inquiry.endpoint.arn

    @property
    def given(self) -> Mapping[str, ContextValue]:
        """The keys that every request has, where the policies mention them."""
        return self.inquiry.given_keys

    def is_broken_by(self, request: Request) -> bool:
        """Whether a request that is forbidden is allowed."""
        return self.forbids(request) and self.inquiry.decide(request).allowed

    def forbids(self, request: Request) -> bool:
        """Whether a request is one of the space, and forbidden."""
        target = request.context.get(TARGET_MODEL)
        known = target if isinstance(target, str) else None
        compiled = self.inquiry.compiled
        own = self.principal.keys
        return (
            self.is_forbidden(known)
            and request.principal == self.principal
            and all(request.keys[key] == value for key, value in own.items())
            and is_within(compiled, request)
            and holds(compiled.space.rules(), request) is not False
        )

    def completed(self, request: Request) -> Request:
        """The request with the keys that every request has."""
        return replace(request, context={**self.given, **request.context})


@dataclass(frozen=True)
class Allows:
    """Each model of some patterns is allowed in a context that was found.

    Attributes:
        covered: the contexts.
        owns: whether the promise is about a TargetModel.
        put: puts a model into the request of a context.
        near: the patterns.
    """

    covered: Covered
    owns: Callable[[str], bool]
    put: Callable[[str], Retarget]
    near: tuple[str, ...]

    def is_broken_by(self, model: str) -> bool:
        """Whether a model that the promise is about is allowed in none of the contexts."""
        put = self.put(model)
        return self.owns(model) and not any(
            inquiry.decide(put(request)).allowed for inquiry, request in self.covered.found
        )


@dataclass(frozen=True)
class OfEachTenant:
    """A promise to every tenant that a rule describes.

    Attributes:
        rule: the rule.
        near: texts near which interesting names lie.
        to: the promise to the tenant of one name.
    """

    rule: TenantRule
    near: tuple[str, ...]
    to: Callable[[str], Denies | Allows]


Promise = Denies | Allows | OfEachTenant


@dataclass(frozen=True)
class Answered:
    """What a question was answered, and what the answer promises.

    A promise is about what is not proved, too: where an answer is UNKNOWN, whoever breaks the
    promise has found a leak.
    """

    findings: tuple[Finding, ...]
    promises: tuple[Promise, ...] = ()
