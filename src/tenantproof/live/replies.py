"""What the simulator's replies say of each question.

Follows "EvaluationResult" and "ResourceSpecificResult" of the IAM API Reference. There are two
formats. Today's has one result for each action: its name is the template of an ARN and its
decision the most restrictive of all resources, so that the decisions are those of
``ResourceSpecificResults``. Before there was one result for each resource, named by its ARN,
"each containing the same aggregate decision".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tenantproof.live.batches import Batch, Pair, Question
from tenantproof.live.simulation import Answer

DECISIONS = {"allowed", "explicitDeny", "implicitDeny"}
DETAILS = (
    "OrganizationsDecisionDetail",
    "PermissionsBoundaryDecisionDetail",
    "EvalDecisionDetails",
)

_LIMITS = {
    "OrganizationsDecisionDetail": "AllowedByOrganizations",
    "PermissionsBoundaryDecisionDetail": "AllowedByPermissionsBoundary",
}
"""What each of the details says that must not be false where the decision is to allow."""
_BOUNDARY = "PermissionsBoundaryDecisionDetail"

_VARIABLE = re.compile(r"\$\{[^}]*\}")


class Results:
    """What pages say of a batch's questions; what they say of others is ignored.

    Args:
        batch: the questions.
        excerpt: what may be shown of a text of others: names in answers are such.

    Attributes:
        wrong: the questions of which they say what cannot be, and what that is.
    """

    def __init__(self, batch: Batch, excerpt: Callable[[str], str]) -> None:
        self._batch = batch
        self._excerpt = excerpt
        self._pairs = batch.pairs
        self._resources = list(dict.fromkeys(resource for _, resource in self._pairs))
        self._of_resources: dict[Question, Answer] = {}
        self._of_results: dict[Question, Answer] = {}
        self.wrong: dict[Question, str] = {}

    def add(self, results: Sequence[Mapping[str, Any]]) -> bool:
        """Read a page; whether it says anything new."""
        before = len(self._of_resources), len(self._of_results), len(self.wrong)
        for result in results:
            action = result["EvalActionName"].lower()
            if specific := result.get("ResourceSpecificResults"):
                for each in specific:
                    pair = action, each["EvalResourceName"]
                    answer = self._answer(each["EvalResourceDecision"], each, result)
                    # What a result says of organizations and boundary is said of all its resources.
                    said = {**result, **each} if len(specific) == 1 else each
                    self._note(self._of_resources, pair, answer, self._limits(said))
                continue
            answer = self._answer(result["EvalDecision"], result, result)
            for resource in self._named(result.get("EvalResourceName", "")):
                self._note(self._of_results, (action, resource), answer, self._limits(result))
        return before != (len(self._of_resources), len(self._of_results), len(self.wrong))

    def _limits(self, said: Mapping[str, Any]) -> list[str]:
        """What does not allow it by itself, and would have to.

        A resource's policy may allow to users what their boundary does not.
        """
        return [
            f"{member}: false"
            for detail, member in _LIMITS.items()
            if said.get(detail, {}).get(member) is False
            and not (detail == _BOUNDARY and self._batch.has_resource_policy)
        ]

    def _note(
        self, answers: dict[Question, Answer], pair: Pair, answer: Answer, limits: Sequence[str]
    ) -> None:
        question = self._pairs.get(pair)
        if question is None:
            return
        first = answers.setdefault(question, answer)
        if answer.decision not in DECISIONS:
            self.wrong[question] = f"the decision {self._excerpt(answer.decision)!r} is none"
        elif first.decision != answer.decision:
            self.wrong[question] = (
                f"the reply contradicts itself: {first.decision} and {answer.decision}"
            )
        elif limits and answer.decision == "allowed":
            self.wrong[question] = f"the reply contradicts itself: allowed, and {limits[0]}"
        else:
            missing = dict.fromkeys((*first.missing, *answer.missing))
            answers[question] = Answer(first.decision, tuple(missing), first.matched, first.details)

    def _answer(self, decision: str, own: Mapping[str, Any], result: Mapping[str, Any]) -> Answer:
        missing = dict.fromkeys(
            (*own.get("MissingContextValues", ()), *result.get("MissingContextValues", ()))
        )
        details = {name: each[name] for name in DETAILS for each in (result, own) if each.get(name)}
        return Answer(
            decision,
            tuple(map(self._excerpt, missing)),
            tuple(self._matched(own)),
            self._shown(details),
        )

    def _matched(self, own: Mapping[str, Any]) -> Iterator[tuple[str, int | None, int | None]]:
        for statement in own.get("MatchedStatements", ()):
            start = statement.get("StartPosition", {})
            policy = self._excerpt(statement.get("SourcePolicyId", ""))
            yield policy, start.get("Line"), start.get("Column")

    def _shown(self, details: Any) -> Any:
        match details:
            case str():
                return self._excerpt(details)
            case dict():
                return {self._excerpt(name): self._shown(each) for name, each in details.items()}
            case _:
                return details

    def _named(self, name: str) -> list[str]:
        """The resources whose decision a result without resources holds.

        Under its own name a resource's; under the name of all of them, which is the template of
        their ARNs, ``*`` where AWS knows none, or none at all, that of all that were asked about.
        """
        if name in self._resources:
            return [name]
        is_of_all = name in {"", "*"} or _VARIABLE.search(name) is not None
        return [r for r in self._resources if is_of_all and (name in {"", "*"} or _is_of(name, r))]

    @property
    def open(self) -> list[Question]:
        """The questions of which nothing was said."""
        said = {*self._of_resources, *self._of_results, *self.wrong}
        return [question for question in self._batch.questions if question not in said]

    @property
    def answers(self) -> dict[Question, Answer]:
        """The questions that are answered."""
        own = {
            question: answer
            for question, answer in self._of_results.items()
            if not self._is_aggregate(question.action)
        }
        return {
            question: answer
            for question, answer in {**own, **self._of_resources}.items()
            if question not in self.wrong
        }

    @property
    def aggregated(self) -> list[Question]:
        """The questions of which only a decision about several resources is known."""
        return [
            question
            for question in self._of_results
            if question not in self._of_resources
            and question not in self.wrong
            and self._is_aggregate(question.action)
        ]

    def _is_aggregate(self, action: str) -> bool:
        """Whether the results of an action may all hold the most restrictive decision of all.

        If that allows, each allows; and results that differ are no aggregate.
        """
        said = {
            answer.decision
            for question, answer in self._of_results.items()
            if question.action == action
        }
        return len(self._resources) > 1 and len(said) == 1 and said != {"allowed"}


def _is_of(template: str, resource: str) -> bool:
    """Whether an ARN is one of a template: ``arn:${Partition}:s3:::${BucketName}/${KeyName}``."""
    pattern = "(?s:.*)".join(re.escape(part) for part in _VARIABLE.split(template))
    return re.fullmatch(pattern, resource) is not None
