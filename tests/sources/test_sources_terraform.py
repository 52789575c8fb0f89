"""Plans and states of Terraform: what is there once they are applied."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sources_worlds import ACCOUNT, REGION, TRUST, caller, plan, resource

from tenantproof.account import Estate, Gap, Identity
from tenantproof.policy.json_reader import read_json
from tenantproof.sources import Deployment
from tenantproof.sources.terraform import TerraformReader

INVOKE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": "*"},
    ],
}
ROLE = {"name": "acme", "path": "/", "assume_role_policy": json.dumps(TRUST)}
NEW_ROLE = {"arn": True, "id": True, "inline_policy": True, "managed_policy_arns": True}


def read(*documents: dict[str, Any], deployment: Deployment | None = None) -> Estate:
    reader = TerraformReader([], deployment)
    for document in documents:
        root = read_json(json.dumps(document), "plan.json")
        assert reader.recognises(root)
        reader.read(root, "plan.json", "plan")
    return reader.estate()


def role(values: dict[str, Any] | None = None, name: str = "acme") -> dict[str, Any]:
    return resource("aws_iam_role", name, ROLE | (values or {}))


def inline(values: dict[str, Any]) -> dict[str, Any]:
    base = {"name": "invoke", "role": "acme", "policy": json.dumps(INVOKE)}
    return resource("aws_iam_role_policy", "invoke", base | values)


def managed(values: dict[str, Any] | None = None) -> dict[str, Any]:
    base = {"name": "invoke", "path": "/", "policy": json.dumps(INVOKE)}
    return resource("aws_iam_policy", "invoke", base | (values or {}))


def references(*names: str) -> dict[str, Any]:
    return {"references": list(names)}


def data(name: str, after: dict[str, Any], unknown: dict[str, Any]) -> dict[str, Any]:
    """A policy document that the plan cannot read yet."""
    return {
        "address": f"data.aws_iam_policy_document.{name}",
        "mode": "data",
        "type": "aws_iam_policy_document",
        "name": name,
        "change": {"actions": ["read"], "after": after, "after_unknown": unknown},
    }


def actions(identity: Identity) -> list[list[str]]:
    return [
        [pattern.text for pattern in statement.action.patterns]
        for policy in identity.policies
        for statement in policy.statements
    ]


def unknown(identity: Identity) -> list[str]:
    """Why statements of its policies are not known, each reason once."""
    found = (s.unknown for policy in identity.policies for s in policy.statements)
    return list(dict.fromkeys(each.reason for each in found if each is not None))


def mattering(estate: Estate) -> list[str]:
    return [gap.message for gap in estate.gaps if gap.matters]


def messages(estate: Estate) -> list[str]:
    return [gap.message for gap in estate.gaps]


def only(estate: Estate) -> Identity:
    (identity,) = estate.identities
    return identity


# -- documents -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"format_version": "1.2", "planned_values": {}}, True),
        ({"terraform_version": "1.9.0", "values": {}}, True),
        ({"format_version": "1.2", "resource_changes": []}, True),
        ({"format_version": "1.2"}, False),
        ({"values": {}}, False),
        ([], False),
    ],
)
def test_content_tells_a_plan(document: Any, expected: bool) -> None:
    assert TerraformReader([]).recognises(read_json(json.dumps(document), "f")) is expected


def test_places_point_into_the_plan() -> None:
    estate = read(plan([role(), inline({})]))
    (policy,) = only(estate).policies
    place = policy.statements[0].action.place
    path = "$.planned_values.root_module.resources[1].values.policy.Statement[0].Action"
    assert (place.file, place.path) == ("plan.json", path)
    assert place.column > 1


def test_a_state_is_read_as_a_plan_is() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/acme"
    values = ROLE | {
        "arn": arn,
        "managed_policy_arns": ["arn:aws:iam::aws:policy/A"],
        "inline_policy": [{"name": "invoke", "policy": json.dumps(INVOKE)}],
    }
    state = {
        "format_version": "1.0",
        "terraform_version": "1.9.0",
        "values": {"root_module": {"resources": [resource("aws_iam_role", "acme", values)]}},
    }
    estate = read(state)
    identity = only(estate)
    assert identity.arn == arn
    assert identity.managed_policies == ("arn:aws:iam::aws:policy/A",)
    assert actions(identity)[0] == ["sagemaker:InvokeEndpoint"]
    assert unknown(identity) == ["the managed policy arn:aws:iam::aws:policy/A is not described"]


def test_a_plan_without_planned_values_is_read_from_its_changes() -> None:
    whole = plan([role(), inline({})])
    del whole["planned_values"]
    assert actions(only(read(whole))) == [["sagemaker:InvokeEndpoint"]]


def test_what_is_deleted_is_not_there() -> None:
    deleted = role(name="gone")
    change = {key: value for key, value in deleted.items() if key != "values"}
    change["change"] = {"actions": ["delete"], "before": deleted["values"], "after": None}
    estate = read(plan([role()], changes=[change]))
    assert [identity.name for identity in estate.identities] == ["acme"]


def test_what_is_forgotten_is_still_there() -> None:
    forgotten = role({"name": "kept"}, name="kept")
    change = {key: value for key, value in forgotten.items() if key != "values"}
    change["change"] = {"actions": ["forget"], "before": forgotten["values"], "after": None}
    estate = read(plan([role()], changes=[change]))
    assert [identity.name for identity in estate.identities] == ["acme", "kept"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"errored": True}, "planning ended in an error: the plan is not complete"),
        ({"complete": False}, "the plan is not complete: it leaves changes for later"),
        ({"deferred_changes": [{}]}, "the plan defers changes, which are not read"),
        (
            {"configuration": None},
            "no configuration: what refers to what is not told",
        ),
        (
            {"resource_changes": []},
            "no resource_changes: what is known only after apply is not told",
        ),
    ],
)
def test_a_plan_that_is_not_all_is_said_to_be(more: dict[str, Any], message: str) -> None:
    assert mattering(read(plan([role()]) | more)) == [message]


# -- identities ------------------------------------------------------------------------------


def test_a_role_with_everything() -> None:
    values = {
        "path": "/tenants/",
        "tags": {"tenant": "acme"},
        "tags_all": {"tenant": "acme", "team": "a"},
        "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/invoke",
        "inline_policy": [{"name": "one", "policy": json.dumps(INVOKE)}],
        "managed_policy_arns": [f"arn:aws:iam::{ACCOUNT}:policy/invoke"],
    }
    written = {"aws_iam_role.acme": {"inline_policy": [{}], "managed_policy_arns": {}}}
    estate = read(plan([role(values), managed()], {}, written, prior_state=caller()))
    identity = only(estate)
    assert identity.arn == f"arn:aws:iam::{ACCOUNT}:role/tenants/acme"
    assert identity.tags == {"tenant": "acme", "team": "a"}
    assert identity.permissions_boundary == identity.policies[0]
    assert identity.managed_policies == (f"arn:aws:iam::{ACCOUNT}:policy/invoke",)
    assert identity.trust_policy is not None
    assert mattering(estate) == []


def test_a_user_of_a_group_has_its_policies() -> None:
    resources = [
        resource("aws_iam_user", "ann", {"name": "ann", "path": "/"}),
        resource("aws_iam_user", "bob", {"name": "bob", "path": "/"}),
        resource("aws_iam_group", "g", {"name": "g", "path": "/"}),
        resource("aws_iam_group", "h", {"name": "h", "path": "/"}),
        resource("aws_iam_group_policy", "p", {"name": "p", "group": "g", "policy": INVOKE_TEXT}),
        resource("aws_iam_user_policy", "u", {"name": "u", "user": "bob", "policy": INVOKE_TEXT}),
        resource("aws_iam_group_membership", "m", {"group": "g", "users": ["ann"]}),
        resource("aws_iam_user_group_membership", "n", {"user": "ann", "groups": ["h"]}),
    ]
    estate = read(plan(resources, prior_state=caller()))
    ann, bob = estate.identities
    assert ann.groups == (f"arn:aws:iam::{ACCOUNT}:group/g", f"arn:aws:iam::{ACCOUNT}:group/h")
    assert actions(ann) == actions(bob) == [["sagemaker:InvokeEndpoint"]]
    assert mattering(estate) == []


INVOKE_TEXT = json.dumps(INVOKE)


def test_one_attachment_may_be_to_many() -> None:
    resources = [
        role(),
        resource("aws_iam_user", "ann", {"name": "ann", "path": "/"}),
        resource("aws_iam_group", "g", {"name": "g", "path": "/"}),
        managed({"arn": f"arn:aws:iam::{ACCOUNT}:policy/invoke"}),
        resource(
            "aws_iam_policy_attachment",
            "all",
            {
                "name": "all",
                "roles": ["acme"],
                "users": ["ann"],
                "groups": ["g"],
                "policy_arn": f"arn:aws:iam::{ACCOUNT}:policy/invoke",
            },
        ),
    ]
    estate = read(plan(resources))
    for each in (*estate.identities, *estate.groups):
        assert len(each.policies) == 1


@pytest.mark.parametrize(
    ("computed", "deleted", "expected"),
    [
        (["arn:aws:iam::aws:policy/A"], [], ("arn:aws:iam::aws:policy/A",)),
        (["arn:aws:iam::aws:policy/A"], ["arn:aws:iam::aws:policy/A"], ()),
    ],
)
def test_computed_attachments_are_there_but_for_those_that_are_deleted(
    computed: list[str], deleted: list[str], expected: tuple[str, ...]
) -> None:
    changes = [
        {
            "address": f"aws_iam_role_policy_attachment.x{arn}",
            "type": "aws_iam_role_policy_attachment",
            "change": {"actions": ["delete"], "before": {"role": "acme", "policy_arn": arn}},
        }
        for arn in deleted
    ]
    written = {"aws_iam_role.acme": {"name": {"constant_value": "acme"}}}
    values = {"managed_policy_arns": computed}
    estate = read(plan([role(values)], {}, written, changes=changes))
    assert only(estate).managed_policies == expected


def test_a_computed_inline_policy_gives_way_to_its_resource() -> None:
    old = json.dumps(INVOKE).replace("sagemaker:InvokeEndpoint", "s3:*")
    values = {"inline_policy": [{"name": "invoke", "policy": old}]}
    written = {"aws_iam_role.acme": {"name": {"constant_value": "acme"}}}
    estate = read(plan([role(values), inline({})], {}, written))
    assert actions(only(estate)) == [["sagemaker:InvokeEndpoint"]]


def test_what_is_given_to_somebody_else_is_a_gap() -> None:
    estate = read(plan([role(), inline({"role": "elsewhere"})]))
    assert mattering(estate) == [
        "the policy invoke is given to the role elsewhere, which is not described"
    ]


# -- what is known only after apply ----------------------------------------------------------


def test_an_unknown_policy_may_be_anything() -> None:
    made = inline({})
    del made["values"]["policy"]
    written = {"aws_iam_role_policy.invoke": {"policy": references("aws_s3_bucket.b.arn")}}
    estate = read(plan([role(), made], {made["address"]: {"policy": True}}, written))
    reason = "the policy invoke of the role acme is not known: it is known only after apply"
    assert unknown(only(estate)) == [reason]
    assert Gap(reason, estate.gaps[-1].place, True, True) in estate.gaps


def test_a_sensitive_policy_that_is_left_out_is_not_known() -> None:
    made = inline({"policy": "(sensitive value)"}) | {"sensitive_values": {"policy": True}}
    (reason,) = unknown(only(read(plan([role(), made]))))
    assert reason.endswith("is not known: it is sensitive, and left out")


def test_a_sensitive_policy_that_is_there_is_read() -> None:
    made = inline({}) | {"sensitive_values": {"policy": True}}
    assert unknown(only(read(plan([role(), made])))) == []


def test_a_policy_document_that_cannot_be_read_yet_is_a_bound() -> None:
    made = inline({})
    del made["values"]["policy"]
    after = {
        "version": None,
        "statement": [
            {
                "sid": "",
                "effect": None,
                "actions": ["s3:GetObject"],
                "resources": [None],
                "condition": [
                    {
                        "test": "StringLike",
                        "variable": "s3:prefix",
                        "values": ["&{aws:PrincipalTag/tenant}/*"],
                    },
                    {"test": "StringLike", "variable": "s3:prefix", "values": ["b"]},
                    {"test": "StringEquals", "variable": "aws:userid", "values": [None]},
                ],
                "principals": [],
            },
            {"effect": "Deny", "not_actions": ["s3:*"], "resources": ["*"]},
        ],
    }
    hidden = {
        "json": True,
        "statement": [{"resources": [True], "condition": [{}, {}, {"values": [True]}]}, {}],
    }
    address = "data.aws_iam_policy_document.d"
    written = {"aws_iam_role_policy.invoke": {"policy": references(f"{address}.json", address)}}
    estate = read(
        plan(
            [role(), made],
            {made["address"]: {"policy": True}},
            written,
            changes=[data("d", after, hidden)],
        )
    )
    (policy,) = only(estate).policies
    allow, deny = policy.statements
    assert [pattern.text for pattern in allow.action.patterns] == ["s3:GetObject"]
    assert allow.resource is not None
    assert [pattern.text for pattern in allow.resource.patterns] == ["*"]
    (condition,) = allow.conditions
    assert [value.text for value in condition.values] == ["${aws:PrincipalTag/tenant}/*", "b"]
    assert allow.unknown is not None
    assert allow.unknown.place.path.startswith("$.resource_changes[2].change.after.statement[0]")
    assert (deny.unknown, deny.action.element) == (None, "NotAction")


@pytest.mark.parametrize("name", ["source_policy_documents", "override_policy_documents"])
def test_a_document_made_of_others_is_not_known(name: str) -> None:
    made = inline({})
    del made["values"]["policy"]
    address = "data.aws_iam_policy_document.d"
    written = {"aws_iam_role_policy.invoke": {"policy": references(f"{address}.json", address)}}
    after = {name: ["{}"], "statement": []}
    changes = [data("d", after, {"json": True})]
    whole = plan([role(), made], {made["address"]: {"policy": True}}, written, changes=changes)
    assert len(unknown(only(read(whole)))) == 1


def test_principals_of_a_document() -> None:
    made = role()
    del made["values"]["assume_role_policy"]
    address = "data.aws_iam_policy_document.d"
    statement = {
        "actions": ["sts:AssumeRole"],
        "principals": [
            {"type": "AWS", "identifiers": ["arn:aws:iam::111122223333:root"]},
            {"type": "Service", "identifiers": ["ec2.amazonaws.com"]},
        ],
    }
    written = {"aws_iam_role.acme": {"assume_role_policy": references(f"{address}.json", address)}}
    estate = read(
        plan(
            [made],
            {made["address"]: {"assume_role_policy": True}},
            written,
            changes=[data("d", {"statement": [statement]}, {"json": True})],
        )
    )
    trust = only(estate).trust_policy
    assert trust is not None
    assert trust.statements[0].principal is not None
    assert [entry.type for entry in trust.statements[0].principal.entries] == ["AWS", "Service"]
    assert trust.statements[0].unknown is None


ATTACHMENT = "aws_iam_role_policy_attachment.a"


def attachment(values: dict[str, Any] | None = None, index: str | None = None) -> dict[str, Any]:
    return resource("aws_iam_role_policy_attachment", "a", values or {"role": "acme"}, index)


@pytest.mark.parametrize(
    "policy",
    [
        references("aws_iam_policy.invoke.arn", "aws_iam_policy.invoke"),
        references("aws_iam_policy.invoke.id", "aws_iam_policy.invoke"),
    ],
)
def test_an_attachment_is_followed_to_the_policy_that_it_refers_to(policy: dict[str, Any]) -> None:
    whole = plan(
        [role(), managed(), attachment()],
        {ATTACHMENT: {"policy_arn": True}},
        {ATTACHMENT: {"policy_arn": policy}},
    )
    identity = only(read(whole))
    assert actions(identity) == [["sagemaker:InvokeEndpoint"]]
    assert unknown(identity) == []


@pytest.mark.parametrize(
    "policy",
    [
        references("aws_iam_policy.invoke.arn", "aws_iam_policy.other.arn"),
        references("aws_iam_policy.invoke.name", "aws_iam_policy.invoke"),
        references("local.policy"),
        references("aws_iam_policy.nowhere.arn", "aws_iam_policy.nowhere"),
        references("var.policy"),
        references("module.m.arn", "module.m"),
        {},
    ],
)
def test_an_attachment_that_may_be_to_another_policy_is_not_known(policy: dict[str, Any]) -> None:
    other = resource("aws_iam_policy", "other", managed()["values"] | {"name": "other"})
    whole = plan(
        [role(), managed(), other, attachment()],
        {ATTACHMENT: {"policy_arn": True}},
        {ATTACHMENT: {"policy_arn": policy}},
    )
    assert unknown(only(read(whole))) == [
        "a policy attached to the role acme is not known: it is known only after apply"
    ]


def each_tenant(references_: dict[str, Any]) -> dict[str, Any]:
    """A role, a policy and an attachment for each of two tenants."""
    resources = []
    unknown: dict[str, Any] = {}
    for tenant in ("a", "b"):
        document = json.dumps(INVOKE).replace("InvokeEndpoint", f"InvokeEndpoint{tenant}")
        policy = {"name": tenant, "path": "/", "policy": document}
        resources += [
            resource("aws_iam_role", "r", ROLE | {"name": tenant}, tenant),
            resource("aws_iam_policy", "p", policy, tenant),
            attachment({"role": tenant}, tenant),
        ]
        unknown[f'{ATTACHMENT}["{tenant}"]'] = {"policy_arn": True}
    return plan(resources, unknown, {ATTACHMENT: {"policy_arn": references_}})


def test_by_each_key_the_instance_of_the_same_key_is_meant() -> None:
    estate = read(each_tenant(references("aws_iam_policy.p", "each.key")))
    for identity in estate.identities:
        assert actions(identity) == [[f"sagemaker:InvokeEndpoint{identity.name}"]]
    assert f'{ATTACHMENT}["a"] refers to aws_iam_policy.p by its own index, taken as' in "\n".join(
        messages(estate)
    )


def test_by_each_value_any_instance_may_be_meant() -> None:
    estate = read(each_tenant(references("aws_iam_policy.p", "each.value")))
    assert all(unknown(identity) for identity in estate.identities)


def test_an_index_that_is_written_is_that_instance() -> None:
    written = references('aws_iam_policy.p["b"].arn', 'aws_iam_policy.p["b"]', "aws_iam_policy.p")
    for identity in read(each_tenant(written)).identities:
        assert actions(identity) == [["sagemaker:InvokeEndpointb"]]


def test_without_an_index_one_of_many_is_not_known() -> None:
    estate = read(each_tenant(references("aws_iam_policy.p")))
    assert all(unknown(identity) for identity in estate.identities)


def test_references_lead_through_modules() -> None:
    inner = managed() | {"address": "module.policies.aws_iam_policy.invoke"}
    attached = attachment() | {"address": 'module.roles["a"].aws_iam_role_policy_attachment.a'}
    whole = plan([role(), inner, attached], {attached["address"]: {"policy_arn": True}}, {})
    module = whole["planned_values"]["root_module"]
    module["child_modules"] = [
        {"address": "module.policies", "resources": [module["resources"].pop(1)]},
        {"address": 'module.roles["a"]', "resources": [module["resources"].pop(1)]},
    ]
    whole["configuration"]["root_module"]["module_calls"] = {
        "policies": {
            "module": {
                "outputs": {
                    "arn": {
                        "expression": references(
                            "aws_iam_policy.invoke.arn", "aws_iam_policy.invoke"
                        )
                    }
                },
                "resources": [{"address": "aws_iam_policy.invoke", "expressions": {}}],
            }
        },
        "roles": {
            "expressions": {"policy": references("module.policies.arn", "module.policies")},
            "module": {
                "resources": [
                    {"address": ATTACHMENT, "expressions": {"policy_arn": references("var.policy")}}
                ]
            },
        },
    }
    identity = only(read(whole))
    assert (actions(identity), unknown(identity)) == ([["sagemaker:InvokeEndpoint"]], [])


def test_references_that_go_round_end() -> None:
    inner = attachment() | {"address": "module.m.aws_iam_role_policy_attachment.a"}
    whole = plan([role(), inner], {inner["address"]: {"policy_arn": True}}, {})
    whole["configuration"]["root_module"]["module_calls"] = {
        "m": {
            "expressions": {"x": references("module.m.x", "module.m")},
            "module": {
                "outputs": {"x": {"expression": references("var.x")}},
                "resources": [
                    {"address": ATTACHMENT, "expressions": {"policy_arn": references("var.x")}}
                ],
            },
        }
    }
    assert len(unknown(only(read(whole)))) == 1


def test_managed_policies_in_a_role_are_followed() -> None:
    address = "aws_iam_role.acme"
    written = {
        address: {
            "managed_policy_arns": references("aws_iam_policy.invoke.arn", "aws_iam_policy.invoke")
        }
    }
    whole = plan([role(), managed()], {address: {"managed_policy_arns": [True]}}, written)
    identity = only(read(whole))
    assert (actions(identity), unknown(identity)) == ([["sagemaker:InvokeEndpoint"]], [])


def test_a_list_that_is_not_known_may_hold_more_than_it_refers_to() -> None:
    address = "aws_iam_role.acme"
    written = {
        address: {
            "managed_policy_arns": references("aws_iam_policy.invoke.arn", "aws_iam_policy.invoke")
        }
    }
    whole = plan([role(), managed()], {address: {"managed_policy_arns": True}}, written)
    assert len(unknown(only(read(whole)))) == 1


def test_a_policy_that_two_plans_read_is_one() -> None:
    source = resource("aws_iam_policy", "known", {})
    arn = "arn:aws:iam::aws:policy/A"
    source |= {"mode": "data", "address": "data.aws_iam_policy.known"}
    source["values"] = {"arn": arn, "policy": json.dumps(INVOKE)}
    prior = {"values": {"root_module": {"resources": [source]}}}
    first = plan([role({"managed_policy_arns": [arn]})], prior_state=prior)
    second = plan([resource("aws_sqs_queue", "q", {})], prior_state=prior)
    estate = read(first, second, deployment=Deployment(ACCOUNT, REGION))
    assert actions(only(estate)) == [["sagemaker:InvokeEndpoint"]]
    assert mattering(estate) == []


def test_an_unknown_tag_is_a_gap() -> None:
    whole = plan([role({"tags_all": {"a": "b"}})], {"aws_iam_role.acme": {"tags_all": {"c": True}}})
    estate = read(whole)
    assert only(estate).tags == {"a": "b"}
    assert mattering(estate) == [
        "the tag c of aws_iam_role.acme is not known: it is known only after apply"
    ]


def test_a_name_that_is_made_up_has_a_stand_in() -> None:
    made = role({"name_prefix": "acme-"})
    del made["values"]["name"]
    other = inline({})
    del other["values"]["role"]
    written = {
        other["address"]: {"role": references("aws_iam_role.acme.name", "aws_iam_role.acme")}
    }
    hidden = {made["address"]: {"name": True}, other["address"]: {"role": True}}
    estate = read(plan([made, other], hidden, written))
    assert only(estate).name == "acme-XXXXXXXXXXXX"
    assert actions(only(estate)) == [["sagemaker:InvokeEndpoint"]]
    assert mattering(estate) == []


# -- SageMaker and S3 ------------------------------------------------------------------------


def served(model: dict[str, Any], config: dict[str, Any] | None = None, **more: Any) -> Estate:
    resources = [
        resource("aws_sagemaker_model", "m", {"name": "m"} | model),
        resource(
            "aws_sagemaker_endpoint_configuration",
            "c",
            {"name": "c", "production_variants": [{"variant_name": "v", "model_name": "m"}]}
            | (config or {}),
        ),
        resource("aws_sagemaker_endpoint", "e", {"name": "e", "endpoint_config_name": "c"}),
    ]
    return read(plan(resources, prior_state=caller(), **more))


def test_an_endpoint_with_what_it_serves() -> None:
    estate = served(
        {
            "execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/exec",
            "container": [
                {"model_data_url": "s3://models/a.tar.gz", "container_hostname": "a"},
                {
                    "container_hostname": "b",
                    "model_data_source": [
                        {
                            "s3_data_source": [
                                {"s3_uri": "s3://models/b/", "s3_data_type": "S3Prefix"}
                            ]
                        }
                    ],
                },
            ],
            "primary_container": [],
            "inference_execution_config": [{"mode": "Direct"}],
        },
        {"async_inference_config": [{}]},
    )
    (endpoint,) = estate.endpoints
    assert endpoint.arn == f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/e"
    assert endpoint.config_arn == f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint-config/c"
    assert endpoint.asynchronous
    (model,) = endpoint.models
    assert model.direct
    assert model.execution_role == f"arn:aws:iam::{ACCOUNT}:role/exec"
    assert [(c.model_data, c.hostname, c.is_prefix) for c in model.containers] == [
        ("s3://models/a.tar.gz", "a", False),
        ("s3://models/b/", "b", True),
    ]


def test_an_artifact_that_is_not_known_is_an_unknown_container() -> None:
    hidden = {"aws_sagemaker_model.m": {"primary_container": [{"model_data_url": True}]}}
    estate = served({"primary_container": [{"mode": "MultiModel"}]}, unknown=hidden)
    (container,) = estate.models[0].containers
    assert container.unknown is not None
    assert estate.gaps[-1].has_stand_in


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"name": "d"}, "the configuration c of the endpoint e is not described"),
        (
            {"production_variants": [{"variant_name": "v", "model_name": "x"}]},
            "the model x of the endpoint e is not described",
        ),
    ],
)
def test_a_model_that_is_not_described_is_not_known(config: dict[str, Any], reason: str) -> None:
    estate = served({"primary_container": [{"model_data_url": "s3://models/a"}]}, config)
    (variant,) = estate.endpoints[0].variants
    assert variant.model is not None
    assert [c.unknown and c.unknown.reason for c in variant.model.containers] == [reason]


BUCKET_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::models/*",
            }
        ],
    }
)


@pytest.mark.parametrize(
    "resources",
    [
        [
            resource("aws_s3_bucket", "b", {"bucket": "models"}),
            resource("aws_s3_bucket_policy", "b", {"bucket": "models", "policy": BUCKET_POLICY}),
        ],
        [resource("aws_s3_bucket", "b", {"bucket": "models", "policy": BUCKET_POLICY})],
        [resource("aws_s3_bucket_policy", "b", {"bucket": "models", "policy": BUCKET_POLICY})],
    ],
)
def test_a_bucket_has_its_policy(resources: list[dict[str, Any]]) -> None:
    (bucket,) = read(plan(resources)).buckets
    assert bucket.name == "models"
    assert bucket.policy is not None
    assert len(bucket.policy.statements) == 1


# -- what is not read ------------------------------------------------------------------------


def test_other_resources_are_counted() -> None:
    resources = [
        resource("aws_lambda_function", "f", {}),
        resource("aws_lambda_function", "g", {}),
        resource("aws_iam_instance_profile", "p", {}),
    ]
    estate = read(plan(resources, prior_state=caller()))
    assert [(gap.message, gap.matters) for gap in estate.gaps] == [
        ("1 of the type aws_iam_instance_profile, not read", False),
        ("2 of the type aws_lambda_function, not read", False),
    ]


@pytest.mark.parametrize(
    "type_",
    [
        "aws_iam_role_policies_exclusive",
        "aws_organizations_policy",
        "aws_cloudformation_stack",
        "aws_s3_access_point",
        "awscc_iam_role",
    ],
)
def test_what_could_matter_and_is_not_read_is_a_gap_that_matters(type_: str) -> None:
    estate = read(plan([resource(type_, "x", {})]))
    assert mattering(estate) == [f"a resource of the type {type_}, which is not read"]


# -- where -----------------------------------------------------------------------------------


def test_what_the_user_says_of_where_goes_first() -> None:
    whole = plan([role()], prior_state=caller())
    estate = read(whole, deployment=Deployment("999988887777", partition="aws-cn"))
    assert only(estate).arn == "arn:aws-cn:iam::999988887777:role/acme"


def test_the_account_that_arns_name_is_taken() -> None:
    endpoint = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/e"
    policy = json.dumps(INVOKE).replace('"*"', f'"{endpoint}"')
    estate = read(plan([role(), inline({"policy": policy})], region=None))
    assert only(estate).arn == f"arn:aws:iam::{ACCOUNT}:role/acme"
    assert mattering(estate) == []


def test_an_account_that_nothing_names_has_a_stand_in() -> None:
    estate = read(plan([role()]))
    assert only(estate).account == "123456789012"
    assert messages(estate) == ["the account is not given, taken as 123456789012"]


def test_two_accounts_that_arns_name_are_told() -> None:
    arns = [f"arn:aws:iam::{account}:role/x" for account in ("111111111111", "222222222222")]
    policy = json.dumps(INVOKE).replace('"*"', json.dumps(arns))
    (message,) = mattering(read(plan([role(), inline({"policy": policy})])))
    assert message.endswith("though its ARNs name 111111111111, 222222222222: say which it is")
