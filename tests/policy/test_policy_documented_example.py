"""The policy that AWS prints for multi-model endpoints: pasted as printed, it must not surprise.

Its ``//`` comment stands there to this day; the comma behind the statement stood there from
2020-06-26 to 2021-07-06.
"""

from __future__ import annotations

import pytest
from policy_texts import FILE, problems_of, read

from tenantproof.policy import Effect, PolicyKind

PRINTED_2020 = """\
{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Action": [
                "sagemaker:InvokeEndpoint"
            ],
            "Effect": "Allow",
            "Resource":
            "arn:aws:sagemaker:region:account-id:endpoint/endpoint_name",
            "Condition": {
                // TargetModel provided must be from this set of values
                "StringLike": {
                    "sagemaker:TargetModel": ["company_a/*", "common/*"]
                }
            }
        },
    ]
}
"""
PRINTED_2021 = PRINTED_2020.replace("        },\n    ]", "        }\n    ]")


def test_strict_reading_names_both_places_and_the_way_out() -> None:
    comment, comma = problems_of(PRINTED_2020)
    assert str(comment) == (
        f"{FILE}:12:17: $.Statement[0].Condition: found a comment, expected JSON, which has none"
        "\n    hint: lenient reading (--lenient) accepts comments, trailing commas and a byte"
        " order mark"
    )
    assert str(comma) == (
        f'{FILE}:17:10: $.Statement: found a trailing comma before "]", expected none'
        "\n    hint: lenient reading (--lenient) accepts comments, trailing commas and a byte"
        " order mark"
    )


def test_strict_reading_of_the_current_page_names_the_comment() -> None:
    (comment,) = problems_of(PRINTED_2021)
    assert (comment.place.line, comment.place.column) == (12, 17)


@pytest.mark.parametrize("text", [PRINTED_2020, PRINTED_2021], ids=["2020", "2021"])
@pytest.mark.parametrize("kind", PolicyKind)
def test_lenient_reading_takes_it(text: str, kind: PolicyKind) -> None:
    (statement,) = read(text, lenient=True, kind=kind).statements
    assert statement.effect is Effect.ALLOW
    assert [p.text for p in statement.action.patterns] == ["sagemaker:InvokeEndpoint"]
    (condition,) = statement.conditions
    assert condition.operator.name == "StringLike"
    assert condition.key == "sagemaker:TargetModel"
    assert [value.text for value in condition.values] == ["company_a/*", "common/*"]
    assert condition.place.line == 14
