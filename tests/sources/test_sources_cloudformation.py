"""Templates: what a deployment of them makes, as far as anybody can say before it."""

from __future__ import annotations

import sys

import pytest
from sources_worlds import ACCOUNT, REGION

from tenantproof.account import Estate, Identity
from tenantproof.errors import Problem
from tenantproof.policy.yaml_reader import read_yaml
from tenantproof.sources import Deployment
from tenantproof.sources.cloudformation import TemplateReader

HERE = Deployment(ACCOUNT, REGION)
TRUST = """
        Version: 2012-10-17
        Statement: {Effect: Allow, Action: sts:AssumeRole, Principal: {Service: ec2.amazonaws.com}}
"""


def read_all(
    files: dict[str, str], deployment: Deployment | None = HERE
) -> tuple[Estate, list[Problem]]:
    problems: list[Problem] = []
    reader = TemplateReader(problems, deployment)
    for file, text in files.items():
        root = read_yaml(text, file, short_forms=True)
        assert reader.recognises(root)
        reader.read(root, file, file.rpartition("/")[2].partition(".")[0])
    return reader.estate(), problems


def read(text: str, deployment: Deployment | None = HERE, **parameters: str) -> Estate:
    if parameters:
        deployment = Deployment(ACCOUNT, REGION, parameters=parameters)
    estate, problems = read_all({"stack.yaml": text}, deployment)
    assert problems == []
    return estate


def problems_of(text: str) -> list[str]:
    return [problem.message for problem in read_all({"stack.yaml": text})[1]]


def role(statement: str, more: str = "") -> str:
    """A template with a role whose one policy has that statement."""
    return f"""
{more}
Resources:
  Bucket: {{Type: AWS::S3::Bucket, Properties: {{BucketName: models}}}}
  Other: {{Type: AWS::SQS::Queue}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: acme
      AssumeRolePolicyDocument: {TRUST}
      Policies:
        - PolicyName: one
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              - {statement}
"""


def resource_of(written: str, more: str = "", **parameters: str) -> tuple[list[str], str | None]:
    """What a Resource is read as, and why it is not known."""
    text = role(f"{{Effect: Allow, Action: 's3:*', Resource: {written}}}", more)
    (identity,) = read(text, **parameters).identities
    (statement,) = identity.policies[0].statements
    assert statement.resource is not None
    unknown = statement.unknown and statement.unknown.reason
    return [pattern.text for pattern in statement.resource.patterns], unknown


def unknown(identity: Identity) -> list[str]:
    found = (s.unknown for policy in identity.policies for s in policy.statements)
    return list(dict.fromkeys(each.reason for each in found if each is not None))


def mattering(estate: Estate) -> list[str]:
    return [gap.message for gap in estate.gaps if gap.matters]


# -- recognition -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{AWSTemplateFormatVersion: '2010-09-09', Resources: {}}", True),
        ("{Resources: {A: {Type: AWS::S3::Bucket}}}", True),
        ("{Transform: AWS::Serverless-2016-10-31, Resources: {}}", True),
        ("{Resources: {A: {Type: other}}}", False),
        ("{Resources: []}", False),
        ("{version: '36', artifacts: {A: {type: 'aws:cloudformation:stack'}}}", True),
        ("{version: '36', artifacts: {A: {type: other}}}", False),
        ("[]", False),
    ],
)
def test_content_tells_a_template(text: str, expected: bool) -> None:
    assert TemplateReader([]).recognises(read_yaml(text, "f")) is expected


# -- functions -------------------------------------------------------------------------------

PARAMETERS = """
Parameters:
  Name: {Type: String, Default: models}
  Names: {Type: CommaDelimitedList, Default: "a, b"}
  Secret: {Type: String}
  Looked: {Type: "AWS::SSM::Parameter::Value<String>", Default: /key}
Mappings:
  Buckets: {eu-west-1: {bucket: mapped, list: [one, two]}}
Conditions:
  IsModels: !Equals [!Ref Name, models]
  IsNot: !Not [!Condition IsModels]
  Unsure: !Equals [!Ref Secret, x]
  Both: !And [!Condition IsModels, !Condition Unsure]
  Neither: !And [!Condition IsNot, !Condition Unsure]
  Either: !Or [!Condition IsModels, !Condition Unsure]
"""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("!Sub 'arn:${AWS::Partition}:s3:::${Name}/*'", "arn:aws:s3:::models/*"),
        (
            "!Sub ['arn:aws:s3:::${b}/${!aws:username}/${Name}', {b: !Ref Name}]",
            "arn:aws:s3:::models/${aws:username}/models",
        ),
        ("!Sub '${Bucket.Arn}/${AWS::Region}'", f"arn:aws:s3:::models/{REGION}"),
        ("!Sub 'arn:aws:s3:::${Bucket}/${AWS::AccountId}'", f"arn:aws:s3:::models/{ACCOUNT}"),
        ("!Join ['', ['arn:aws:s3:::', !Ref Bucket, '/*']]", "arn:aws:s3:::models/*"),
        ("!Join ['/', ['arn:aws:s3:::x', !Join ['/', !Ref Names]]]", "arn:aws:s3:::x/a/b"),
        ("!GetAtt Bucket.Arn", "arn:aws:s3:::models"),
        ("{'Fn::GetAtt': [Role, Arn]}", f"arn:aws:iam::{ACCOUNT}:role/acme"),
        ("!If [IsModels, 'arn:aws:s3:::yes', 'arn:aws:s3:::no']", "arn:aws:s3:::yes"),
        ("!If [IsNot, 'arn:aws:s3:::yes', 'arn:aws:s3:::no']", "arn:aws:s3:::no"),
        ("!If [Neither, 'arn:aws:s3:::yes', 'arn:aws:s3:::no']", "arn:aws:s3:::no"),
        ("!If [Either, 'arn:aws:s3:::yes', 'arn:aws:s3:::no']", "arn:aws:s3:::yes"),
        ("!If [Unsure, 'arn:aws:s3:::same', 'arn:aws:s3:::same']", "arn:aws:s3:::same"),
        (
            "!Sub ['arn:aws:s3:::${b}', {b: !FindInMap [Buckets, !Ref AWS::Region, bucket]}]",
            "arn:aws:s3:::mapped",
        ),
        (
            "!Sub ['arn:aws:s3:::${b}', {b: !FindInMap [Buckets, x, y, {DefaultValue: z}]}]",
            "arn:aws:s3:::z",
        ),
        ("!Select [1, [a, 'arn:aws:s3:::b']]", "arn:aws:s3:::b"),
        ("!Select ['0', !Split ['|', 'arn:aws:s3:::b|c']]", "arn:aws:s3:::b"),
        (
            "!Sub ['arn:aws:s3:::${b}', {b: !Select [1, !FindInMap [Buckets, eu-west-1, list]]}]",
            "arn:aws:s3:::two",
        ),
    ],
)
def test_functions_are_resolved(written: str, expected: str) -> None:
    assert resource_of(written, PARAMETERS) == ([expected], None)


@pytest.mark.parametrize(
    ("written", "expected", "reason"),
    [
        (
            "!Sub 'arn:aws:s3:::${Secret}/*'",
            "arn:aws:s3:::*/*",
            "the parameter Secret has no default, and no value is given",
        ),
        ("!Sub '${Secret}/*'", "*", "the parameter Secret has no default, and no value is given"),
        (
            "!Sub 'arn:aws:s3:::${Looked}'",
            "arn:aws:s3:::*",
            "the parameter Looked is looked up by a deployment",
        ),
        (
            "'arn:aws:s3:::{{resolve:ssm:/bucket:1}}/x'",
            "arn:aws:s3:::*/x",
            "a deployment looks up {{resolve:ssm:/bucket:1}}",
        ),
        (
            "!GetAtt Other.Arn",
            "*",
            "Arn of Other (AWS::SQS::Queue) is known only to a deployment",
        ),
        ("!ImportValue x", "*", "the export x of another stack is not known"),
        ("!GetAZs ''", "*", "what Fn::GetAZs gives is not known before deployment"),
        (
            "!If [Unsure, 'arn:aws:s3:::a', 'arn:aws:s3:::b']",
            "*",
            "the condition Unsure is not known: the parameter Secret has no default, and no value"
            " is given",
        ),
        (
            "!If [Both, 'arn:aws:s3:::a', 'arn:aws:s3:::b']",
            "*",
            "the condition Unsure is not known: the parameter Secret has no default, and no value"
            " is given",
        ),
        ("!Sub 'arn:aws:s3:::${AWS::StackId}'", "arn:aws:s3:::*", "AWS::StackId is known only to"),
        (
            "!Select [0, !Split [',', !Ref Secret]]",
            "*",
            "the parameter Secret has no default, and no value is given",
        ),
    ],
)
def test_what_only_a_deployment_knows_is_not_known(
    written: str, expected: str, reason: str
) -> None:
    resources, why = resource_of(written, PARAMETERS)
    assert resources == [expected]
    assert why is not None
    assert why.startswith(f"a part of the policy one of the role acme is not known: {reason}")


def test_parameters_are_given() -> None:
    written = "!Sub 'arn:aws:s3:::${Secret}/*'"
    assert resource_of(written, PARAMETERS, Secret="s") == (["arn:aws:s3:::s/*"], None)


def test_a_value_for_a_parameter_that_is_nowhere_is_a_problem() -> None:
    deployment = Deployment(ACCOUNT, REGION, parameters={"Nmae": "x"})
    _, problems = read_all({"a.yaml": "{Resources: {}, Transform: []}"}, deployment)
    assert [p.message for p in problems] == [
        "found a value for the parameter Nmae, which no template has"
    ]


def test_no_value_takes_an_element_away() -> None:
    statement = """
                Effect: Allow
                Action: [s3:GetObject, !If [IsNot, s3:PutObject, !Ref AWS::NoValue]]
                Resource: "*"
                Condition: !If [IsNot, {Bool: {aws:SecureTransport: true}}, !Ref AWS::NoValue]
"""
    text = role(statement.strip(), PARAMETERS)
    (identity,) = read(text).identities
    (found,) = identity.policies[0].statements
    assert [pattern.text for pattern in found.action.patterns] == ["s3:GetObject"]
    assert (found.conditions, found.unknown) == ((), None)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("!Ref Nowhere", 'found "Nowhere", expected the name of a parameter or a resource'),
        ("!GetAtt Nowhere.Arn", 'found "Nowhere.Arn", expected an attribute of a resource'),
        (
            "!Sub 'arn:aws:s3:::b/${aws:username}'",
            'found "aws:username", expected the name of a parameter or a resource',
        ),
        ("!If [Nowhere, a, b]", 'found "Nowhere", expected the name of a condition'),
        ("!FindInMap [A, b, c]", 'found "A.b.c", expected a value of a mapping'),
        ("!Join [a]", "found other arguments of Fn::Join, expected a list of 2"),
        ("!Select [7, [a]]", "found the index 7, expected one of 1 items"),
    ],
)
def test_what_cloudformation_would_refuse_is_a_problem(written: str, message: str) -> None:
    text = role(f"{{Effect: Allow, Action: 's3:*', Resource: {written}}}")
    assert problems_of(text) == [message]


def test_a_policy_variable_in_sub_is_told_how_it_is_written() -> None:
    text = role("{Effect: Allow, Action: 's3:*', Resource: !Sub 'arn:aws:s3:::${aws:username}'}")
    (problem,) = read_all({"t.yaml": text})[1]
    assert problem.hint == "in Fn::Sub a policy variable of IAM is written ${!aws:username}"


@pytest.mark.parametrize(
    "conditions",
    [
        "Conditions: {A: !Not [!Condition A]}",
        "Conditions: {A: !And [!Condition B, !Condition B], B: !Condition A}",
    ],
)
def test_conditions_that_hang_on_themselves_are_not_known(conditions: str) -> None:
    _, why = resource_of("!If [A, 'arn:aws:s3:::a', 'arn:aws:s3:::b']", conditions)
    assert why is not None
    assert "hangs on itself" in why


def test_functions_in_functions_are_resolved() -> None:
    written = "'arn:aws:s3:::b'"
    for _ in range(8):
        written = f"!Sub ['${{a}}', {{a: {written}}}]"
    assert resource_of(written) == (["arn:aws:s3:::b"], None)


def test_names_made_of_names_end() -> None:
    twice = ((i, f"'${{R{i + 1}}}${{R{i + 1}}}'") for i in range(40))
    text = "Resources:\n" + "".join(
        f"  R{i}: {{Type: AWS::IAM::Group, Properties: {{GroupName: !Sub {name}}}}}\n"
        for i, name in twice
    )
    estate = read(text + "  R40: {Type: AWS::IAM::Group, Properties: {GroupName: x}}\n")
    assert len(estate.groups) == 41
    assert any("a text of more than" in message for message in mattering(estate))


# -- IAM -------------------------------------------------------------------------------------


def test_users_groups_and_their_policies() -> None:
    estate = read(
        """
Resources:
  Ann:
    Type: AWS::IAM::User
    Properties: {UserName: ann, Groups: [!Ref G], Tags: [{Key: t, Value: a}]}
  Bob: {Type: AWS::IAM::User, Properties: {UserName: bob, Path: /x/}}
  G: {Type: AWS::IAM::Group, Properties: {GroupName: g}}
  H:
    Type: AWS::IAM::Group
    Properties:
      GroupName: h
      Policies:
        - PolicyName: p
          PolicyDocument: &document
            Version: 2012-10-17
            Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]
  In: {Type: AWS::IAM::UserToGroupAddition, Properties: {GroupName: !Ref H, Users: [!Ref Bob]}}
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: m
      PolicyDocument: *document
      Groups: [!Ref G]
  Inline:
    Type: AWS::IAM::Policy
    Properties: {PolicyName: i, Users: [!Ref Ann], PolicyDocument: *document}
  Own:
    Type: AWS::IAM::UserPolicy
    Properties: {PolicyName: o, UserName: !Ref Bob, PolicyDocument: *document}
"""
    )
    ann, bob = estate.identities
    assert ann.arn == f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert ann.tags == {"t": "a"}
    assert ann.groups == (f"arn:aws:iam::{ACCOUNT}:group/g",)
    assert ann.managed_policies == (f"arn:aws:iam::{ACCOUNT}:policy/m",)
    assert len(ann.policies) == 1  # the inline one and the managed one are equal
    assert bob.arn == f"arn:aws:iam::{ACCOUNT}:user/x/bob"
    assert bob.groups == (f"arn:aws:iam::{ACCOUNT}:group/h",)
    assert len(bob.policies) == 1
    assert mattering(estate) == []


def test_a_boundary_is_followed() -> None:
    estate = read(
        f"""
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: acme
      PermissionsBoundary: !Ref Boundary
      AssumeRolePolicyDocument: {TRUST}
  Boundary:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{{Effect: Allow, Action: "s3:*", Resource: "*"}}]
"""
    )
    (identity,) = estate.identities
    assert identity.permissions_boundary == estate.managed_policies[0].document
    assert identity.managed_policies == (
        f"arn:aws:iam::{ACCOUNT}:policy/stack-Boundary-XXXXXXXXXXXX",
    )


def test_a_resource_whose_condition_fails_is_not_there() -> None:
    text = role("{Effect: Allow, Action: 's3:*', Resource: '*'}", PARAMETERS)
    text = text.replace("  Role:\n", "  Role:\n    Condition: IsNot\n")
    assert read(text).identities == ()


def test_a_role_of_which_nobody_knows_whether_it_is_there_is_taken_as_there() -> None:
    text = role("{Effect: Allow, Action: 's3:*', Resource: '*'}", PARAMETERS)
    text = text.replace("  Role:\n", "  Role:\n    Condition: Unsure\n")
    estate = read(text)
    assert len(estate.identities) == 1
    (message,) = mattering(estate)
    assert message.startswith("whether Role is there is not known, taken as there")


def test_a_policy_of_which_nobody_knows_whether_it_is_there_may_be_anything() -> None:
    text = role("{Effect: Allow, Action: 's3:*', Resource: '*'}", PARAMETERS)
    text += """
  More:
    Type: AWS::IAM::RolePolicy
    Condition: Unsure
    Properties:
      RoleName: !Ref Role
      PolicyName: more
      PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Deny, Action: "*", Resource: "*"}]}
"""
    (reason,) = unknown(read(text).identities[0])
    assert reason.startswith("the policy more of the role acme is not known: the condition Unsure")


def test_a_name_that_is_not_known_is_a_gap_that_matters() -> None:
    text = role("{Effect: Allow, Action: 's3:*', Resource: '*'}", PARAMETERS)
    estate = read(text.replace("RoleName: acme", "RoleName: !Sub '${Secret}-role'"))
    assert estate.identities[0].name == "XXXXXXXXXXXX-role"
    (message,) = mattering(estate)
    assert message.startswith("the name of Role is not known, taken as XXXXXXXXXXXX-role")


def test_an_aws_managed_policy_is_not_known() -> None:
    text = role("{Effect: Allow, Action: 's3:*', Resource: '*'}")
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    text = text.replace("RoleName: acme", f"RoleName: acme\n      ManagedPolicyArns: ['{arn}']")
    (identity,) = read(text).identities
    assert identity.managed_policies == (arn,)
    assert unknown(identity) == [f"the managed policy {arn} is not described"]


# -- SageMaker and S3 ------------------------------------------------------------------------

ENDPOINT = """
Resources:
  Exec:
    Type: AWS::IAM::Role
    Properties: {RoleName: exec, AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: []}}
  Bucket: {Type: AWS::S3::Bucket}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Deny, Principal: "*", Action: "s3:*", Resource: !GetAtt Bucket.Arn}]
  Model:
    Type: AWS::SageMaker::Model
    Properties:
      ExecutionRoleArn: !GetAtt Exec.Arn
      InferenceExecutionConfig: {Mode: Direct}
      Containers:
        - {Mode: MultiModel, ModelDataUrl: !Sub "s3://${Bucket}/models/", ContainerHostname: a}
        - ContainerHostname: b
          ModelDataSource: {S3DataSource: {S3Uri: "s3://models/b/", S3DataType: S3Prefix}}
  Config:
    Type: AWS::SageMaker::EndpointConfig
    Properties:
      EndpointConfigName: config
      AsyncInferenceConfig: {OutputConfig: {}}
      ExecutionRoleArn: !GetAtt Exec.Arn
      ProductionVariants:
        - {VariantName: models, ModelName: !Ref Model}
        - {VariantName: components}
  Endpoint:
    Type: AWS::SageMaker::Endpoint
    Properties:
      EndpointName: models
      EndpointConfigName: !Ref Config
      Tags: [{Key: tenant, Value: acme}]
  Component:
    Type: AWS::SageMaker::InferenceComponent
    Properties:
      InferenceComponentName: component
      EndpointName: !GetAtt Endpoint.EndpointName
      VariantName: components
      Specification: {Container: {Image: i, ArtifactUrl: s3://models/component}}
"""


def test_an_endpoint_with_what_it_serves() -> None:
    estate = read(ENDPOINT)
    (endpoint,) = estate.endpoints
    sagemaker = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
    assert endpoint.arn == f"{sagemaker}:endpoint/models"
    assert endpoint.config_arn == f"{sagemaker}:endpoint-config/config"
    assert endpoint.tags == {"tenant": "acme"}
    assert endpoint.asynchronous
    model = endpoint.variants[0].model
    assert model is not None
    assert model.direct
    assert model.execution_role == f"arn:aws:iam::{ACCOUNT}:role/exec"
    bucket = "stack-bucket-xxxxxxxxxxxx"
    assert [(c.model_data, c.multi_model, c.hostname) for c in model.containers] == [
        (f"s3://{bucket}/models/", True, "a"),
        ("s3://models/b/", False, "b"),
    ]
    assert endpoint.variants[1].model is None
    (component,) = endpoint.components
    assert component.arn == f"{sagemaker}:inference-component/component"
    assert component.model.containers[0].model_data == "s3://models/component"
    assert component.model.execution_role == model.execution_role
    (found,) = estate.buckets
    assert (found.name, found.account) == (bucket, ACCOUNT)
    assert found.policy is not None


def test_a_component_on_an_endpoint_of_another_template_is_a_gap() -> None:
    text = ENDPOINT.replace("EndpointName: !GetAtt Endpoint.EndpointName", "EndpointName: other")
    messages = mattering(read(text))
    assert (
        "the inference component component is on the endpoint other, which is not described"
        in messages
    )


# -- what is not read ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "type_",
    [
        "AWS::IAM::Other",
        "AWS::CloudFormation::Stack",
        "AWS::CloudFormation::StackSet",
        "Custom::Anything",
        "My::Own::Thing::MODULE",
        "AWS::Organizations::Policy",
    ],
)
def test_what_could_matter_and_is_not_read_is_a_gap_that_matters(type_: str) -> None:
    estate = read(f"Resources: {{X: {{Type: '{type_}'}}}}")
    assert mattering(estate) == [f"X is of the type {type_}, which is not read"]


def test_other_resources_are_counted() -> None:
    estate = read("Resources: {A: {Type: AWS::SQS::Queue}, B: {Type: AWS::SQS::Queue}}")
    (gap,) = estate.gaps
    assert (gap.message, gap.matters) == ("2 of the type AWS::SQS::Queue, not read", False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{Transform: My::Macro, Resources: {}}",
            "the macro My::Macro rewrites the template, which is not read",
        ),
        (
            "{Transform: AWS::LanguageExtensions, Resources: {'Fn::ForEach::A': [x, [], {}]}}",
            "Fn::ForEach::A makes resources, which are not read",
        ),
        (
            "Resources: {A: {Type: AWS::S3::Bucket, Properties: {'Fn::Transform': {Name: x}}}}",
            "Fn::Transform rewrites the template, which is not read",
        ),
    ],
)
def test_what_rewrites_a_template_is_a_gap_that_matters(text: str, message: str) -> None:
    assert message in mattering(read(text))


# -- where -----------------------------------------------------------------------------------


def test_without_a_deployment_there_are_stand_ins() -> None:
    text = role("{Effect: Allow, Action: 's3:*', Resource: '*'}")
    estate = read(text, None)
    assert estate.identities[0].account == "123456789012"
    assert [gap.matters for gap in estate.gaps if "is not given" in gap.message] == [False, False]


def test_principals_of_other_accounts_say_nothing_of_where() -> None:
    text = role("{Effect: Allow, Action: 's3:*', Resource: '*'}")
    text = text.replace("{Service: ec2.amazonaws.com}", "{AWS: 'arn:aws:iam::999988887777:role/x'}")
    assert read(text, None).identities[0].account == "123456789012"


# -- several templates -----------------------------------------------------------------------

EXPORTING = """
Resources: {Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: models}}}
Outputs: {Arn: {Value: !GetAtt Bucket.Arn, Export: {Name: the-bucket}}}
"""


def test_what_one_stack_exports_another_imports() -> None:
    importing = role("{Effect: Allow, Action: 's3:*', Resource: !ImportValue the-bucket}")
    importing = importing.replace("BucketName: models", "BucketName: other")
    estate, problems = read_all({"b.yaml": importing, "a.yaml": EXPORTING})
    assert problems == []
    (statement,) = estate.identities[0].policies[0].statements
    assert statement.resource is not None
    assert [pattern.text for pattern in statement.resource.patterns] == ["arn:aws:s3:::models"]


def test_exports_that_import_each_other_are_not_known() -> None:
    def exporting(own: str, other: str) -> str:
        return f"""
Resources: {{}}
Transform: []
Outputs: {{O: {{Value: !ImportValue {other}, Export: {{Name: {own}}}}}}}
"""

    files = {"a.yaml": exporting("a", "b"), "b.yaml": exporting("b", "a")}
    files["c.yaml"] = role("{Effect: Allow, Action: 's3:*', Resource: !ImportValue a}")
    estate, _ = read_all(files)
    assert unknown(estate.identities[0])


PARENT = """
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Metadata: {"aws:asset:path": inner.template.json}
    Properties: {TemplateURL: "https://bucket/key", Parameters: {Name: from-parent}}
  Policy:
    Type: AWS::IAM::RolePolicy
    Properties:
      PolicyName: more
      RoleName: !GetAtt Inner.Outputs.Role
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]
"""
INNER = f"""
Parameters: {{Name: {{Type: String}}}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties: {{RoleName: !Ref Name, AssumeRolePolicyDocument: {
    TRUST.replace(chr(10), " ").replace("Version: 2012-10-17", "{Version: 2012-10-17,").rstrip()
}}}}}
Outputs: {{Role: {{Value: !Ref Role}}}}
"""


def test_a_nested_stack_is_read_from_the_file_beside() -> None:
    files = {"out/outer.template.json": PARENT, "out/inner.template.json": INNER}
    estate, problems = read_all(files)
    assert problems == []
    (identity,) = estate.identities
    assert identity.name == "from-parent"
    assert len(identity.policies) == 1
    assert mattering(estate) == []


def test_templates_that_nest_each_other_are_told() -> None:
    def nesting(other: str) -> str:
        return f"""
Resources:
  X: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: {other}}}}}
"""

    estate, _ = read_all({"a.yaml": nesting("b.yaml"), "b.yaml": nesting("a.yaml")})
    assert mattering(estate) == [
        "a.yaml is nested in no stack that is deployed",
        "b.yaml is nested in no stack that is deployed",
    ]


MANIFEST = """
version: "36.0.0"
artifacts:
  Assets: {type: "cdk:asset-manifest", properties: {file: x.assets.json}}
  App:
    type: aws:cloudformation:stack
    environment: aws://999988887777/eu-north-1
    properties: {templateFile: App.template.json, stackName: the-app}
"""


def test_a_cloud_assembly_says_where_its_stacks_are() -> None:
    template = """
Resources:
  Model: {Type: AWS::SageMaker::Model, Properties: {PrimaryContainer: {}}}
"""
    files = {"cdk.out/App.template.json": template, "cdk.out/manifest.json": MANIFEST}
    estate, _ = read_all(files, None)
    assert estate.models[0].arn == (
        "arn:aws:sagemaker:eu-north-1:999988887777:model/the-app-Model-XXXXXXXXXXXX"
    )


# -- SAM -------------------------------------------------------------------------------------

SAM = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, Handler: a.b}}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: s3://bucket/key
      Policies:
        - S3ReadPolicy: {BucketName: models}
        - Version: 2012-10-17
          Statement: [{Effect: Allow, Action: sagemaker:InvokeEndpoint, Resource: "*"}]
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: models}}
"""


def test_sam_makes_roles_of_functions() -> None:
    estate = read(SAM)
    (identity,) = estate.identities
    assert identity.name == "stack-FunctionRole-XXXXXXXXXXXX"
    actions = [s.action.patterns[0].text for p in identity.policies for s in p.statements]
    assert "s3:GetObject" in actions
    assert "sagemaker:InvokeEndpoint" in actions
    assert identity.place is not None
    assert identity.place.path == "$.Resources.Function"
    assert estate.buckets[0].place is not None
    assert estate.buckets[0].place.path == "$.Resources.Bucket"
    assert estate.buckets[0].place.line == 13


def test_what_sam_refuses_is_a_problem() -> None:
    (message,) = problems_of(SAM.replace("      CodeUri: s3://bucket/key\n", ""))
    assert message.startswith("found a template that SAM cannot translate: ")


def test_without_the_translator_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "samtranslator.parser.parser", None)
    (message,) = problems_of(SAM)
    assert 'pip install "tenantproof[cloudformation]"' in message


def test_reading_a_template_does_not_import_the_translator() -> None:
    import subprocess  # noqa: PLC0415

    code = (
        "import sys, tenantproof.sources;"
        "print([m for m in sys.modules if m.startswith(('samtranslator', 'boto'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
