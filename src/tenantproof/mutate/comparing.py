"""Whether a mutant allows anything else than the policy, to a principal that it applies to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tenantproof.compare import Answer, Change, Side, Terms, Way, equivalent
from tenantproof.compare.request import FOLLOWING
from tenantproof.compare.space import request_space
from tenantproof.isolation import Verdict
from tenantproof.isolation.manifest import Tenant, TenantRule
from tenantproof.isolation.rules import RuleQuestions
from tenantproof.isolation.sagemaker import invoke_actions
from tenantproof.isolation.substitution import named
from tenantproof.mutate.asking import Affected, Asked
from tenantproof.mutate.outcomes import Equivalent, Survived, Undecided
from tenantproof.prove import Domain, RequestSpace
from tenantproof.prove.callers import PRINCIPAL_ARN
from tenantproof.request import Principal

ASSUMED_OF_PRINCIPALS = (
    "the policies and the tags that the manifest gives for each principal are all that it has"
)
ASSUMED_BY_RULE = (
    "equivalent for tenants by rule: for every principal whose ARN and tags IAM admits, whatever"
    " its name"
)


def compare_all(
    asked: Asked, affected: tuple[Affected, ...], terms: Terms
) -> Equivalent | Survived | Undecided:
    """Compare each principal's policies with those that the mutant makes of them.

    Args:
        asked: the manifest.
        affected: the principals.
        terms: how each is asked.

    Returns:
        Equivalent if for each principal no request is decided otherwise; Survived with a request
        that is, one that is newly allowed before one that no longer is, and one that invokes an
        endpoint of the manifest before others; else Undecided.

    Raises:
        DisagreementError: the two readings differ; a bug in tenantproof.
    """
    best = _Best()
    for pair in _pairs(asked, affected, terms, best):
        answer = equivalent(pair.old, pair.new, terms)
        if answer.verdict is Verdict.UNKNOWN:
            best.reason = best.reason or answer.reason or "no answer"
        gained = _gained(answer)
        if gained is not None:
            return Survived(_nearer(asked, pair, terms) or gained)
        if answer.verdict is Verdict.LEAK:
            best.lost = best.lost or answer.changes[0]
    if best.lost is not None:
        return Survived(best.lost)
    return Equivalent() if best.reason is None else Undecided(best.reason)


@dataclass
class _Best:
    """What is known while no access gained was found."""

    lost: Change | None = None
    reason: str | None = None


@dataclass(frozen=True)
class _Pair:
    old: Side
    new: Side


def _pairs(
    asked: Asked, affected: tuple[Affected, ...], terms: Terms, best: _Best
) -> Iterator[_Pair]:
    """The principals whose policies must be compared one by one."""
    for alike in _with_the_same_policies(affected):
        one = alike[0]
        is_rule = isinstance(one.group, TenantRule)
        worth = is_rule or len(alike) > 1
        if worth and _same_for_all(alike, terms) and _are_like_any(alike):
            continue
        for each in alike:
            match each.group:
                case Tenant():
                    yield _pair(each, each.before.principal)
                case TenantRule() as rule:
                    names = RuleQuestions(asked.run).names_to_try(rule, each.before)
                    yield from (_pair(each, named(each.before.principal, n)) for n in names)
                    shown = ", ".join(f'"{name}"' for name in names)
                    best.reason = best.reason or (
                        f"it decides the same for the tenants {shown} of {rule.name}, which is not"
                        " proven for every name"
                    )


def _with_the_same_policies(affected: Iterable[Affected]) -> list[list[Affected]]:
    """The principals, those of a rule or with the same documents together."""
    alike: dict[tuple[object, ...], list[Affected]] = {}
    for each in affected:
        policies = each.before.policies
        documents = [
            (layer.name, id(document)) for layer in policies.layers() for document in layer.policies
        ]
        key = (isinstance(each.group, TenantRule), *documents)
        alike.setdefault(key, []).append(each)
    return list(alike.values())


def _pair(each: Affected, principal: Principal) -> _Pair:
    old, new = each.before.policies, each.after.policies
    return _Pair(Side(old, principal), Side(new, principal))


def _same_for_all(alike: Sequence[Affected], terms: Terms) -> bool:
    """Whether some principals' policies are equivalent whoever calls with their common tags."""
    tagged = [{name.lower() for name, text in _tags(each) if text} for each in alike]
    tags = tuple(sorted(set.intersection(*tagged)))
    old, new = alike[0].before.policies, alike[0].after.policies
    answer = equivalent(Side(old), Side(new), replace(terms, tags=tags))
    return answer.verdict is Verdict.PROVED


def _tags(each: Affected) -> Iterable[tuple[str, str]]:
    return each.before.principal.tags.items()


def _are_like_any(alike: Sequence[Affected]) -> bool:
    """Whether what holds whoever calls holds for some principals with the same policies."""
    space = request_space((alike[0].before.policies, alike[0].after.policies), None)
    return all(_is_like_any(each, space) for each in alike)


def _is_like_any(each: Affected, space: RequestSpace) -> bool:
    """Whether a principal is one of a space: no key says what IAM would not."""
    principal = each.before.principal
    for name, value in principal.context.items():
        key = name.lower()
        follows = key in FOLLOWING and key != PRINCIPAL_ARN
        if follows or not isinstance(value, str) or value not in space.choices(key):
            return False
    if isinstance(each.group, TenantRule):
        return True
    arn = principal.keys.get(PRINCIPAL_ARN)
    return isinstance(arn, str) and _is_one_of(arn, space.choices(PRINCIPAL_ARN))


@lru_cache(maxsize=4096)
def _is_one_of(arn: str, domain: Domain) -> bool:
    """Each mutant asks it of the same principals, and it takes long."""
    return arn in domain


def _gained(answer: Answer) -> Change | None:
    if answer.verdict is not Verdict.LEAK:
        return None
    return next((change for change in answer.changes if change.way is Way.GAINED), None)


def _nearer(asked: Asked, pair: _Pair, terms: Terms) -> Change | None:
    """Access gained to the manifest's endpoints, or to one like them, where there is such."""
    endpoints = tuple(endpoint.arn for endpoint in asked.manifest.endpoints)
    for actions, resources in (
        (invoke_actions(), endpoints),
        (invoke_actions(), tuple(_like(endpoints))),
        (("sagemaker:DeleteEndpoint",), endpoints),
    ):
        near = replace(terms, actions=actions, resources=resources)
        gained = _gained(equivalent(pair.old, pair.new, near))
        if gained is not None:
            return gained
    return None


def _like(endpoints: tuple[str, ...]) -> Iterator[str]:
    """Endpoints that one might have beside some: another name, another region, another account."""
    for arn in endpoints:
        fields = arn.split(":", 5)
        yield f"{arn}-2"
        yield ":".join([*fields[:5], "endpoint/other"])
        yield ":".join([*fields[:3], "eu-west-1", *fields[4:]])
        yield ":".join([*fields[:4], "444455556666", fields[5]])
