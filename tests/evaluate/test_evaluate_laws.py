"""Laws that hold of every policy, tried on drawn ones."""

from __future__ import annotations

import re
from typing import Any

import pytest
from evaluate_helpers import ENDPOINT, TARGET_MODEL, applies, policy, request, statement
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tenantproof.evaluate import Decision, Outcome, decide
from tenantproof.evaluate.matching import Token, is_like
from tenantproof.policy import PolicySet
from tenantproof.policy.syntax import AnyChar, AnyChars
from tenantproof.reading import DOCUMENTED, Ambiguity, Reading
from tenantproof.request import Request

Statement = dict[str, Any]
law = settings(max_examples=60, deadline=None)

# -- what is drawn: a few words, so that policies and requests meet ----------------------------

TENANTS = st.sampled_from(["acme", "beta", "common"])
TARGETS = st.sampled_from(["acme/m", "beta/m", "common/m", "acme/a/b", "*", "acme"])
ACTIONS = st.sampled_from(
    ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync", "s3:GetObject"]
)
ARNS = st.sampled_from([ENDPOINT, ENDPOINT + "-2", "arn:aws:s3:::models/acme/m"])

action_patterns = ACTIONS | st.sampled_from(
    ["*", "sagemaker:*", "sagemaker:Invoke*", "s3:Get?bject"]
)
resource_patterns = ARNS | st.sampled_from(
    [
        "*",
        "arn:aws:sagemaker:*:*:endpoint/*",
        ENDPOINT + "*",
        "arn:aws:s3",
        "arn:aws:s3:::models/${aws:PrincipalTag/tenant}/*",
    ]
)
model_values = st.sampled_from(
    ["acme/*", "beta/*", "common/*", "*", "acme/m", "${aws:PrincipalTag/tenant}/*", "${*}", "?*"]
)
string_operators = st.sampled_from(
    [
        prefix + name + suffix
        for prefix in ("", "ForAllValues:", "ForAnyValue:")
        for name in ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")
        for suffix in ("", "IfExists")
    ]
)
keys = st.sampled_from([TARGET_MODEL, "aws:PrincipalTag/tenant"])


def some(values: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(values, min_size=1, max_size=3)


conditions = st.dictionaries(
    string_operators, st.dictionaries(keys, some(model_values | TENANTS), max_size=2), max_size=2
) | st.sampled_from(
    [
        {"Null": {TARGET_MODEL: "true"}},
        {"Null": {TARGET_MODEL: "false"}},
        {"Bool": {"aws:k": "true"}},
    ]
)


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None) -> Statement:
    action = draw(st.sampled_from(["Action", "Action", "NotAction"]))
    resource = draw(st.sampled_from(["Resource", "Resource", "NotResource"]))
    return {
        "Effect": effect or draw(st.sampled_from(["Allow", "Deny"])),
        action: draw(some(action_patterns)),
        resource: draw(some(resource_patterns)),
        "Condition": draw(conditions),
    }


allows, denies = statements("Allow"), statements("Deny")
policies = st.lists(statements(), min_size=1, max_size=3)
allow_policies = st.lists(allows, min_size=1, max_size=3)
readings = st.sets(st.sampled_from(Ambiguity)).map(DOCUMENTED.flipped)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    target = draw(st.none() | TARGETS | st.lists(TARGETS, max_size=2).map(tuple))
    tenant = draw(st.none() | TENANTS)
    return request(
        {} if target is None else {TARGET_MODEL: target},
        action=draw(ACTIONS),
        resource=draw(ARNS),
        tags={} if tenant is None else {"tenant": tenant},
    )


def ask(statements_: list[Statement], to: Request, reading: Reading = DOCUMENTED) -> Decision:
    return decide(PolicySet((policy(*statements_),)), to, reading)


# -- adding a statement ------------------------------------------------------------------------


@given(policies, allows, requests(), readings)
@law
def test_another_allow_never_takes_access_away(
    drawn: list[Statement], added: Statement, to: Request, reading: Reading
) -> None:
    before, after = ask(drawn, to, reading), ask([*drawn, added], to, reading)
    if before.outcome is not Outcome.IMPLICIT_DENY:
        assert after.outcome is before.outcome
    else:
        assert after.outcome is not Outcome.EXPLICIT_DENY


@given(policies, denies, requests(), readings)
@law
def test_another_deny_never_gives_access(
    drawn: list[Statement], added: Statement, to: Request, reading: Reading
) -> None:
    before, after = ask(drawn, to, reading), ask([*drawn, added], to, reading)
    assert before.allowed or not after.allowed
    assert after.outcome in (before.outcome, Outcome.EXPLICIT_DENY)


@given(policies, policies, requests(), readings)
@law
def test_a_boundary_or_an_scp_never_gives_access(
    drawn: list[Statement], outer: list[Statement], to: Request, reading: Reading
) -> None:
    alone = ask(drawn, to, reading)
    identity, bound = (policy(*drawn),), policy(*outer)
    for stack in (PolicySet(identity, bound), PolicySet(identity, None, ((bound,),))):
        assert alone.allowed or not decide(stack, to, reading).allowed
    both = decide(PolicySet(identity, bound), to, reading)
    assert both.allowed == (alone.allowed and ask(outer, to, reading).allowed)


# -- unions ------------------------------------------------------------------------------------


@given(allow_policies, allow_policies, requests(), readings)
@law
def test_without_deny_a_union_allows_what_either_allows(
    one: list[Statement], two: list[Statement], to: Request, reading: Reading
) -> None:
    either = ask(one, to, reading).allowed or ask(two, to, reading).allowed
    assert ask([*one, *two], to, reading).allowed == either
    assert decide(PolicySet((policy(*one), policy(*two))), to, reading).allowed == either


@given(policies, policies, requests())
@law
def test_how_statements_are_spread_over_policies_does_not_matter(
    one: list[Statement], two: list[Statement], to: Request
) -> None:
    together = ask([*one, *two], to).outcome
    assert decide(PolicySet((policy(*one), policy(*two))), to).outcome is together
    assert ask([*reversed(two), *reversed(one)], to).outcome is together
    assert ask([*one, *two, *one], to).outcome is together


@given(policies, requests())
@law
def test_a_statement_is_the_or_of_its_actions_and_resources(
    drawn: list[Statement], to: Request
) -> None:
    split = [
        {**written, "Action": action, "Resource": resource}
        for written in drawn
        for action in written.get("Action", [None])
        for resource in written.get("Resource", [None])
    ]
    # Under the reading where a variable without a value spoils its own text alone.
    reading = DOCUMENTED.flipped([Ambiguity.UNRESOLVED_VARIABLE])
    kept = [{k: v for k, v in written.items() if v is not None} for written in split]
    assert ask(kept, to, reading).outcome is ask(drawn, to, reading).outcome


# -- complements -------------------------------------------------------------------------------


@pytest.mark.parametrize("element", ["Action", "Resource"])
@given(some(action_patterns), some(ARNS | st.just("*")), requests())
@law
def test_an_element_and_its_complement_split_the_requests(
    element: str, actions: list[str], resources: list[str], to: Request
) -> None:
    values = {"Action": actions, "Resource": resources}[element]
    plain = statement(**{element: values})
    complement = statement(**{element: None, f"Not{element}": values})
    assert applies(plain, to) is not applies(complement, to)


POSITIVE = {
    "StringEquals": "StringNotEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
    "ArnEquals": "ArnNotEquals",
    "ArnLike": "ArnNotLike",
}
VALUES = {
    "Str": st.text(alphabet="aAb*?/", max_size=4),
    "Num": st.decimals(allow_nan=False, allow_infinity=False, min_value=-3, max_value=3, places=1)
    .map(str)
    .map(lambda text: text.replace("-0.0", "0.0")),
    "Dat": st.sampled_from(["2026", "2026-01-01T00:00Z", "1767225600", "2026-01-01T01:00+01:00"]),
    "IpA": st.sampled_from(["10.0.0.0/8", "10.0.0.1", "203.0.113.7", "2001:db8::1", "::/0"]),
    "Arn": st.sampled_from([ENDPOINT, "arn:aws:s3:::b", "arn:aws:s3:::*", "arn:*:*:*:*:*", "x"]),
}


@pytest.mark.parametrize(("positive", "negated"), POSITIVE.items())
@given(st.data())
@settings(max_examples=25, deadline=None)
def test_a_negated_operator_is_the_opposite_of_its_twin(
    positive: str, negated: str, data: st.DataObject
) -> None:
    """On one value that is present; on an absent key, too, each is what the other is not."""
    values = VALUES[positive[:3]]
    wanted = data.draw(some(values))
    given_ = data.draw(st.none() | values)
    for suffix in ("", "IfExists") if given_ is not None else ("",):
        to = request({} if given_ is None else {"aws:k": given_})
        one, two = (
            applies(statement(Condition={operator + suffix: {"aws:k": wanted}}), to)
            for operator in (positive, negated)
        )
        assert one is not two


@given(some(model_values), st.lists(TARGETS, max_size=3).map(tuple), st.data())
@law
def test_for_all_is_not_for_any_of_the_opposite(
    wanted: list[str], target: tuple[str, ...], data: st.DataObject
) -> None:
    """All match unless one does not."""
    positive, negated = data.draw(
        st.sampled_from([("StringLike", "StringNotLike"), ("StringEquals", "StringNotEquals")])
    )
    to = request({TARGET_MODEL: target}, tags={"tenant": "acme"})
    for one, two in ((positive, negated), (negated, positive)):
        every = statement(Condition={f"ForAllValues:{one}": {TARGET_MODEL: wanted}})
        some_not = statement(Condition={f"ForAnyValue:{two}": {TARGET_MODEL: wanted}})
        assert applies(every, to) is not applies(some_not, to)


# -- case --------------------------------------------------------------------------------------


def mixed_case(data: st.DataObject, text: str) -> str:
    upper = data.draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    return "".join(c.upper() if up else c.lower() for c, up in zip(text, upper, strict=True))


@given(some(action_patterns), requests(), st.data())
@law
def test_the_case_of_actions_does_not_matter(
    patterns: list[str], to: Request, data: st.DataObject
) -> None:
    changed = [mixed_case(data, pattern) for pattern in patterns]
    request_too = Request(to.principal, mixed_case(data, to.action), to.resource, to.context)
    for element in ("Action", "NotAction"):
        written = statement(**{"Action": None, element: patterns})
        recased = statement(**{"Action": None, element: changed})
        assert applies(recased, request_too) is applies(written, to)


@given(conditions, requests(), st.data())
@law
def test_the_case_of_condition_keys_does_not_matter(
    condition: dict[str, dict[str, Any]], to: Request, data: st.DataObject
) -> None:
    changed = {
        operator: {mixed_case(data, key): values for key, values in block.items()}
        for operator, block in condition.items()
    }
    context = {mixed_case(data, key): value for key, value in to.context.items()}
    recased = Request(to.principal, to.action, to.resource, context)
    before = applies(statement(Condition=condition), to)
    assert applies(statement(Condition=changed), recased) is before


@given(conditions, requests())
@law
def test_without_a_dollar_the_version_does_not_matter(
    condition: dict[str, dict[str, Any]], to: Request
) -> None:
    assume("$" not in str(condition))
    written = statement(Condition=condition)
    assert applies(written, to) is applies(written, to, version="2008-10-17")


@given(st.text(min_size=1), TARGETS)
@law
def test_no_tag_value_opens_another_tenants_models(tag: str, target: str) -> None:
    """A value is literal text: ``${tag}/*`` matches what begins with the tag, nothing else."""
    written = statement(Condition={"StringLike": {TARGET_MODEL: "${aws:PrincipalTag/tenant}/*"}})
    to = request({TARGET_MODEL: target}, tags={"tenant": tag})
    assert applies(written, to) is target.startswith(f"{tag}/")


# -- wildcards ---------------------------------------------------------------------------------

LETTERS = "ab/*?.\n"
WILDCARDS: dict[Token, str] = {AnyChars(): ".*", AnyChar(): "."}
tokens = st.lists(st.sampled_from([*LETTERS, *WILDCARDS]), max_size=8)


def translated(pattern: list[Token]) -> str:
    return "".join(WILDCARDS.get(t) or re.escape(str(t)) for t in pattern)


@given(tokens, st.text(alphabet=LETTERS, max_size=8))
@settings(max_examples=400, deadline=None)
def test_is_like_agrees_with_regular_expressions(pattern: list[Token], text: str) -> None:
    expected = re.fullmatch(translated(pattern), text, re.DOTALL) is not None
    assert is_like(pattern, text) is expected


@given(tokens, st.data())
@settings(max_examples=200, deadline=None)
def test_is_like_finds_what_a_pattern_was_filled_with(
    pattern: list[Token], data: st.DataObject
) -> None:
    fill = st.text(alphabet=LETTERS, max_size=3)
    text = ""
    for token in pattern:
        match token:
            case AnyChars():
                text += data.draw(fill)
            case AnyChar():
                text += data.draw(st.sampled_from(LETTERS))
            case str():
                text += token
    assert is_like(pattern, text)
    assert re.fullmatch(translated(pattern), text, re.DOTALL)


@given(st.text(alphabet="ab/*?", max_size=6), st.text(alphabet="ab/", max_size=6))
@law
def test_string_like_is_one_pattern_on_the_whole_value(pattern: str, value: str) -> None:
    expected = re.fullmatch(
        "".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in pattern), value
    )
    written = statement(Condition={"StringLike": {TARGET_MODEL: pattern}})
    assert applies(written, request({TARGET_MODEL: value})) is (expected is not None)


def test_many_stars_are_matched_at_once() -> None:
    pattern: list[Token] = [AnyChars(), "a"] * 200
    assert is_like(pattern, "a" * 4000)
    assert not is_like([*pattern, "b"], "a" * 4000)
