"""No change of a certificate is accepted: not of a proof, not of what it proves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mutations import mutants

from conftest import Setup, allow
from tenantproof.certificate import (
    Beyond,
    Claim,
    RejectedError,
    Verified,
    digest,
    parse_certificate,
    read_claims,
    to_text,
    verify,
)
from tenantproof.certify import certify
from tenantproof.errors import InputError
from tenantproof.isolation import Question, Run, load_manifest
from tenantproof.prove import language

EXAMPLES = Path(__file__).parents[2] / "examples"


def certificate_of(manifest: Path, *, lenient: bool = False) -> dict[str, Any]:
    loaded = load_manifest(manifest, lenient=lenient)
    written, _ = certify(loaded, Run(loaded).report(), lenient=lenient)
    data: dict[str, Any] = json.loads(to_text(written))
    assert data["theorems"]
    return data


def checked(data: Any, *, detached: bool = False) -> Verified | None:
    try:
        certificate = parse_certificate(json.dumps(data))
        return verify(certificate, root=None, detached=detached, seconds=60)
    except (RejectedError, InputError):
        return None


def rich(setup: Setup) -> Path:
    """A manifest that needs many kinds of propositions, and every kind of reason."""
    everything = allow(Action="sagemaker:*", Condition=None)
    own = {"sagemaker:TargetModel": ["${aws:PrincipalTag/tenant}/*", "common/*"]}
    others = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringNotLike": own},
    }
    other_actions = {"Effect": "Deny", "NotAction": "sagemaker:InvokeEndpoint", "Resource": "*"}
    write(setup, "boundary.json", everything, others)
    write(setup, "scp.json", other_actions, everything)
    numbers = {
        "NumericLessThan": {"aws:MultiFactorAuthAge": "60"},
        "NumericGreaterThan": {"aws:MultiFactorAuthAge": ["70", "90"]},
    }
    sets = {
        "ForAnyValue:StringLike": {"aws:TagKeys": "a*"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["b", "c"]},
    }
    mixed = {
        "StringLike": {"sagemaker:TargetModel": "beta/*"},
        "ArnLikeIfExists": {"aws:SourceArn": ["arn:aws:iam", "${aws:SourceIdentity}"]},
        "ForAnyValue:StringLikeIfExists": {"aws:CalledVia": "*.amazonaws.com"},
    }
    return (
        setup.shared("common/*")
        .tenant(
            "acme",
            allow("acme/*", "common/*"),
            allow(Action="sagemaker:Invoke*", Condition=numbers),
            allow(Condition=sets),
            tags={"tenant": "acme"},
            extra='permissions_boundary = "boundary.json"\n'
            'service_control_policies = [["scp.json"]]\n'
            'context = { "aws:userid" = "A:x" }',
        )
        .tenant("beta", allow(Condition=sets), allow(Condition=mixed))
        .more('[[cannot]]\nprincipal = "acme"\naction = "sagemaker:InvokeEndpointA*"')
        .more('[[cannot]]\nprincipal = "beta"\ntarget_model = "acme/*"')
        .write()
    )


def write(setup: Setup, name: str, *statements: dict[str, Any]) -> None:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    (setup.folder / name).write_text(json.dumps(document))


def test_the_certificates_are_accepted(setup: Setup) -> None:
    for name, theorems in (("company-a-b", 3), ("tags", 3), ("documented-policy", 1)):
        data = certificate_of(EXAMPLES / name, lenient=name.startswith("documented"))
        for detached in (False, True):
            found = checked(data, detached=detached)
            assert found is not None
            assert len(found.theorems) == theorems
    found = checked(certificate_of(rich(setup)))
    assert found is not None
    assert [str(claim) for claim in found.without_proof] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["company-a-b", "tags", "company-a-b/leaky"])
def test_no_mutant_of_an_example_is_accepted(name: str) -> None:
    data = certificate_of(EXAMPLES / name)
    accepted = [what for what, mutant in mutants(data) if checked(mutant) is not None]
    assert accepted == []


@pytest.mark.slow
def test_no_mutant_of_a_rich_certificate_is_accepted(setup: Setup) -> None:
    data = certificate_of(rich(setup))
    kinds = {node.get("closed") for theorem in data["theorems"] for node in theorem["nodes"]}
    assert kinds >= {"denied", "silent", "lemma", "not forbidden"}
    accepted = [what for what, mutant in mutants(data) if checked(mutant) is not None]
    assert accepted == []


@pytest.mark.slow
@pytest.mark.parametrize("part", ["propositions", "lemmas", "nodes"])
def test_no_mutant_of_a_proof_is_accepted_without_the_files(setup: Setup, part: str) -> None:
    data = certificate_of(rich(setup))
    for index in range(len(data["theorems"])):
        under = ("theorems", index, part)
        for what, mutant in mutants(data, under):
            assert checked(mutant, detached=True) is None, what


@pytest.mark.slow
def test_a_mutant_of_a_policy_with_the_right_digest_is_no_proof_of_a_leak(setup: Setup) -> None:
    """Without the files another policy can only be accepted if the theorem holds of it, too."""
    data = certificate_of(rich(setup))
    for index, embedded in enumerate(data["policies"]):
        document = json.loads(embedded["text"])
        for what, mutant in mutants(document):
            text = json.dumps(mutant, indent=2)
            changed = {"file": embedded["file"], "sha256": digest(text), "text": text}
            policies = [*data["policies"][:index], changed, *data["policies"][index + 1 :]]
            assert checked({**data, "policies": policies}) is None, what
            if checked({**data, "policies": policies}, detached=True) is not None:
                assert _still_proved(setup, embedded["file"], text), what


def _still_proved(setup: Setup, file: str, text: str) -> bool:
    path = setup.folder / file
    before = path.read_text()
    path.write_text(text)
    try:
        report = Run(load_manifest(setup.folder)).report()
    finally:
        path.write_text(before)
    asked = [f for f in report.findings if f.question.value in ("isolated", "cannot")]
    return all(f.verdict.value == "PROVED" for f in asked)


def test_a_policy_that_changes_on_disk_is_noticed(setup: Setup) -> None:
    data = certificate_of(rich(setup))
    path = setup.folder / "acme.json"
    path.write_text(path.read_text().replace("acme/*", "*"))
    with pytest.raises(
        RejectedError, match=r"policies\[.\]\.text: the policy acme.json has changed"
    ):
        verify(parse_certificate(json.dumps(data)), root=None, detached=False, seconds=60)


def test_a_tenant_that_joins_is_noticed(setup: Setup) -> None:
    data = certificate_of(rich(setup))
    setup.tenant("gamma").write()
    with pytest.raises(RejectedError, match="another theorem: forbidden differ"):
        verify(parse_certificate(json.dumps(data)), root=None, detached=False, seconds=60)


@pytest.mark.parametrize("name", ["company-a-b", "company-a-b/leaky", "tags", "documented-policy"])
def test_the_checker_reads_of_a_manifest_what_check_asks(name: str) -> None:
    asked_twice(EXAMPLES / name)


def test_the_checker_reads_of_a_large_manifest_what_check_asks(setup: Setup) -> None:
    """Several endpoints, tenants on some of them, trusted principals, wildcards in actions."""
    other = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/other"
    setup.shared("common/*", "x?").endpoint(other)
    setup.more('[[endpoints]]\nname = "third"\nregion = "eu-west-1"\naccount = "1"')
    setup.tenant("acme", tenant_extra='endpoints = ["other"]')
    setup.tenant("beta", owns=("beta/*", "b?"), tenant_extra=f'endpoints = ["{other}", "third"]')
    setup.tenant("gamma", allow("*"))
    setup.more('[[trusted]]\narn = "arn:aws:iam::111122223333:role/gamma"\nreason = "ours"')
    setup.more('[[cannot]]\nprincipal = "beta"\naction = "sagemaker:invoke*"')
    setup.more('[[cannot]]\nprincipal = "beta"\naction = "*"\ntarget_model = "acme/*"')
    setup.more('[[cannot]]\nname = "named"\nprincipal = "acme"\nendpoints = ["third"]')
    asked_twice(setup.write())


def asked_twice(path: Path) -> None:
    """The theorems are about what the run asked: the same questions, languages and actions."""
    manifest = load_manifest(path, lenient=True)
    run = Run(manifest)
    asked = read_claims(Path(manifest.file))
    by_claim = {}
    for tenant in manifest.tenants:
        for member in tenant.members:
            for endpoint in manifest.endpoints:
                by_claim[tenant.name, member.principal.arn, endpoint.arn] = tenant, member, endpoint
    claims = [theorem.claim for theorem in asked.theorems]
    questions = (Question.ISOLATED, Question.CANNOT)
    found = [finding for finding in run.report().findings if finding.question in questions]
    assert set(claims) == {
        Claim(f.question.value, f.tenant, f.principal, f.endpoint, f.assertion) for f in found
    }
    for theorem in asked.theorems:
        claim = theorem.claim
        tenant, member, endpoint = by_claim[claim.tenant, claim.principal, claim.endpoint]
        assert theorem.principal == member.principal
        layers = [[p.file for p in layer.policies] for layer in member.policies.layers()]
        folder = Path(manifest.file).parent
        stated = [[str(folder / asked.files[i]) for i in ly] for ly in theorem.stack.layers()]
        assert stated == layers
        if isinstance(theorem.forbidden, Beyond):
            wall = run._wall(tenant, endpoint)
            for ours, theirs in (
                (theorem.forbidden.own, wall.own),
                (theorem.forbidden.owned, wall.owned),
                (theorem.forbidden.shared, wall.shared),
            ):
                assert language(*ours) == theirs
        else:
            (assertion,) = [a for a in manifest.assertions if a.name == claim.assertion]
            assert theorem.actions == assertion.actions
            models = theorem.forbidden.models
            assert models == (assertion.target_model and (assertion.target_model,))
