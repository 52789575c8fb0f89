"""The manifest's questions put to a mutant: those of the principals that it applies to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tenantproof.isolation import Finding, Manifest, Run, Verdict
from tenantproof.isolation.inquiry import Inquiry
from tenantproof.isolation.manifest import Endpoint, Member, Tenant, TenantRule
from tenantproof.isolation.routes import RouteQuestions
from tenantproof.isolation.rules import RuleQuestions
from tenantproof.isolation.sagemaker import invoke_actions, target_model_actions
from tenantproof.policy import PolicyDocument
from tenantproof.reading import under_other_readings

Group = Tenant | TenantRule
"""Who principals belong to: a tenant, or the tenants of a rule."""


@dataclass(frozen=True)
class Affected:
    """A principal that a policy file applies to, as it was and with the mutant."""

    group: Group
    before: Member
    after: Member


@dataclass(frozen=True)
class Asked:
    """The questions of a manifest, to be asked with another document in place of one.

    What the run learns of one mutant serves the others.
    """

    run: Run

    @property
    def manifest(self) -> Manifest:
        """The manifest."""
        return self.run.manifest

    def affected(self, files: frozenset[str], document: PolicyDocument) -> tuple[Affected, ...]:
        """The principals that a policy applies to, with another in its place.

        Args:
            files: what the manifest calls the policy's file.
            document: the other policy.
        """
        return tuple(
            Affected(group, member, after)
            for group in self.manifest.groups
            for member in group.members
            if (after := with_document(member, files, document)) is not member
        )

    def noticed(self, affected: tuple[Affected, ...]) -> Finding | None:
        """What is no longer PROVED: the first leak, else the first UNKNOWN, None for nothing."""
        unknown: Finding | None = None
        for finding in self._findings(affected):
            match finding.verdict:
                case Verdict.LEAK:
                    return finding
                case Verdict.UNKNOWN:
                    unknown = unknown or finding
                case Verdict.PROVED:
                    pass
        return unknown

    def _findings(self, affected: tuple[Affected, ...]) -> Iterator[Finding]:
        trusted = {each.arn for each in self.manifest.trusted}
        # What is asked of a member is asked of the tenant as it was: what it owns is the same.
        for each in affected:
            if each.before.principal.arn not in trusted:
                for endpoint in self.manifest.endpoints:
                    match each.group:
                        case Tenant() as tenant:
                            if tenant.owns and not self.is_as_before(
                                each, endpoint, invoke_actions()
                            ):
                                yield from self.run.isolated(tenant, each.after, endpoint).findings
                        case TenantRule() as rule:
                            yield from self._by_rule.isolated(rule, each.after, endpoint).findings
        for group in self.manifest.groups:
            mine = [each for each in affected if each.group is group]
            if mine:
                yield from self._reaches(group, mine)
        yield from self._ways(affected)
        yield from self._asserted(affected)

    def _reaches(self, group: Group, affected: list[Affected]) -> Iterator[Finding]:
        after = {id(each.before): each.after for each in affected}
        members = tuple(after.get(id(member), member) for member in group.members)
        for endpoint in group.endpoints if group.owns else ():
            match group:
                case Tenant():
                    actions = target_model_actions()
                    if all(self.is_as_before(each, endpoint, actions) for each in affected):
                        continue
                    answered = self.run.reaches(replace(group, members=members), endpoint)
                case TenantRule():
                    answered = self._by_rule.reaches(replace(group, members=members), endpoint)
            yield from answered.findings

    def _ways(self, affected: tuple[Affected, ...]) -> Iterator[Finding]:
        """The routes of the tenants whose principals have the mutant.

        Of other tenants it is a leak already that they become one of those.
        """
        after = {id(each.before): each.after for each in affected}
        tenants = tuple(
            replace(tenant, members=tuple(after.get(id(m), m) for m in tenant.members))
            for tenant in self.manifest.tenants
        )
        touched = {each.group.name for each in affected}
        run = replace(self.run, manifest=replace(self.manifest, tenants=tenants))
        for asked in RouteQuestions(run).asked():
            if asked.tenant in touched:
                yield from asked.answer().findings

    def _asserted(self, affected: tuple[Affected, ...]) -> Iterator[Finding]:
        after = {id(each.before): each for each in affected}
        for assertion in self.manifest.assertions:
            rule = assertion.rule
            for endpoint in assertion.endpoints:
                for tenant, member in assertion.members:
                    each = after.get(id(member))
                    if each and not self.is_as_before(each, endpoint, assertion.actions):
                        answered = self.run.asserted(assertion, tenant, each.after, endpoint)
                        yield from answered.findings
                for member in rule.members if rule else ():
                    if rule is not None and id(member) in after:
                        other = after[id(member)].after
                        answered = self._by_rule.asserted(assertion, rule, other, endpoint)
                        yield from answered.findings

    def is_as_before(self, each: Affected, endpoint: Endpoint, actions: tuple[str, ...]) -> bool:
        """Whether the formula of what a principal can do at an endpoint is what it was.

        Under no reading can a question be answered in another way then.
        """
        pair = [self.run.inquiry(one, endpoint, actions) for one in (each.before, each.after)]
        return _are_same(pair) and all(_are_same(other) for _, other in under_other_readings(pair))

    @cached_property
    def _by_rule(self) -> RuleQuestions:
        return RuleQuestions(self.run)


def _are_same(inquiries: Sequence[Inquiry]) -> bool:
    """Whether inquiries about one principal have the same formula, and the same doubts."""
    formulas = [
        (each.compiled.allowed, each.compiled.ties, each.compiled.multivalued, each.ambiguities)
        for each in inquiries
    ]
    return all(formula == formulas[0] for formula in formulas)


def with_document(member: Member, files: frozenset[str], document: PolicyDocument) -> Member:
    """A principal with a document in place of those of some files; itself where it has none."""

    def swapped(one: PolicyDocument) -> PolicyDocument:
        return document if one.file in files else one

    policies = member.policies
    documents = [each for layer in policies.layers() for each in layer.policies]
    if not any(each.file in files for each in documents):
        return member
    return replace(member, policies=policies.changed(swapped))


def names_by_path(manifest: Manifest) -> dict[Path, frozenset[str]]:
    """The policy files of a manifest's principals, links followed, with all that it calls them.

    Templates and sources are none: they hold no policy as it applies.
    """
    left_out = {*manifest.templates, *manifest.estate.files}
    files = dict.fromkeys(
        document.file
        for group in manifest.groups
        for member in group.members
        for layer in member.policies.layers()
        for document in layer.policies
        if document.file not in left_out
    )
    found: dict[Path, set[str]] = {}
    for file in files:
        found.setdefault(Path(file).resolve(), set()).add(file)
    return {path: frozenset(names) for path, names in found.items()}
