"""``tenantproof init`` guesses the tenants of typical accounts, and no more than it can."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from account_exports import (
    ACCOUNT,
    Json,
    allow,
    endpoint,
    execution_role,
    export,
    group,
    invoke,
    model,
    role,
    shared_endpoint,
    single,
    trust,
    user,
    write,
)
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantproof.cli import main
from tenantproof.init import guess, manifest_text
from tenantproof.sources import load_sources

PREFIX = "s3://ml-artifacts/models"
ABAC = invoke("${aws:PrincipalTag/tenant}/*")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def init(folder: Path, **files: Any) -> dict[str, tuple[list[str], set[str]]]:
    """The artifacts and the names of the principals of each tenant that is guessed."""
    written = manifest(folder, **files)
    return {
        tenant["name"]: (
            tenant.get("artifacts") or tenant["owns"],
            {principal["arn"].partition("/")[2] for principal in tenant["principals"]},
        )
        for tenant in written["tenants"]
    }


def manifest(folder: Path, **files: Any) -> dict[str, Any]:
    sources = write(folder / "account", **files)
    output = folder / "tenantproof.toml"
    done = CliRunner().invoke(main, ["init", "--from", str(sources), "--output", str(output)])
    assert done.exit_code == 0, done.output
    return tomllib.loads(output.read_text("utf-8"))


def both(artifacts: str = f"{PREFIX}/{{}}/*", who: str = "{}-invoke") -> dict[str, Any]:
    """Acme and Globex, with a role each."""
    return {name: ([artifacts.format(name)], {who.format(name)}) for name in ("acme", "globex")}


def of_each(make: Any, *names: str) -> list[Json]:
    return [make(name) for name in names or ("acme", "globex")]


SHARED = shared_endpoint()


# -- one shared endpoint -----------------------------------------------------------------------


def test_roles_with_a_tag_and_a_target_model_each(folder: Path) -> None:
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(f"{t}/*"), tag={"tenant": t}))
    admin = role("admin", allow("*"))
    assert init(folder, iam=export(*roles, admin, execution_role()), sm=SHARED) == both()


@pytest.mark.parametrize("name", ["{}-role", "tenant-{}", "{}_invoke", "app.{}", "{}"])
def test_names_and_target_models_agree(folder: Path, name: str) -> None:
    roles = of_each(lambda t: role(name.format(t), invoke(f"{t}/*", "common/*")))
    found = init(folder, iam=export(*roles, execution_role()), sm=SHARED)
    assert found == both(who=name)


def test_camel_case(folder: Path) -> None:
    roles = of_each(lambda t: role(f"{t.capitalize()}InvokeRole", invoke(f"{t}/*")))
    found = init(folder, iam=export(*roles), sm=SHARED)
    assert {who for _, names in found.values() for who in names} == {
        "AcmeInvokeRole",
        "GlobexInvokeRole",
    }


@pytest.mark.parametrize("word", ["customer", "company", "tenant"])
def test_letters_behind_a_word_for_tenants(folder: Path, word: str) -> None:
    names = [f"{word}_a", f"{word}_b"]
    roles = [role(name, invoke(f"{name}/*")) for name in names]
    assert init(folder, iam=export(*roles, execution_role()), sm=SHARED) == {
        name: ([f"{PREFIX}/{name}/*"], {name}) for name in names
    }


def test_one_policy_for_all_by_tags(folder: Path) -> None:
    roles = of_each(lambda t: role(f"app-{t}", ABAC, tag={"tenant": t}))
    assert init(folder, iam=export(*roles, execution_role()), sm=SHARED) == both(who="app-{}")


def test_the_tag_that_policies_rest_on_is_the_tenants(folder: Path) -> None:
    rests_on = invoke("${aws:PrincipalTag/CostCenter}/*")
    tags = {"Environment": "prod", "Name": "x", "owner": "jo"}
    roles = of_each(lambda t: role(f"r-{t}", rests_on, tag={**tags, "CostCenter": t}))
    assert init(folder, iam=export(*roles), sm=SHARED) == both(who="r-{}")


def test_other_tags_are_no_tenants(folder: Path) -> None:
    tags = {"owner": "jo", "Environment": "prod"}
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(f"{t}/*"), tag={**tags, "Name": t}))
    owner = role("tool", allow("s3:ListAllMyBuckets"), tag={"owner": "kim"})
    assert init(folder, iam=export(*roles, owner), sm=SHARED) == both()


def test_users_are_principals_too(folder: Path) -> None:
    users = of_each(lambda t: user(f"{t}-ops", invoke(f"{t}/*"), tag={"tenant": t}))
    roles = of_each(lambda t: role(f"{t}-app", invoke(f"{t}/*")))
    found = init(folder, iam=export(*roles, users=users), sm=SHARED)
    assert found["acme"][1] == {"acme-ops", "acme-app"}


def test_paths_and_groups_may_say_whose_an_identity_is(folder: Path) -> None:
    def of_path(tenant: str) -> Json:
        arn = f"arn:aws:iam::{ACCOUNT}:role/tenants/{tenant}/invoke-{len(tenant)}"
        return role(f"invoke-{len(tenant)}", invoke(f"{tenant}/*", "common/*"), Arn=arn)

    users = [user(f"user{len(t)}", GroupList=[f"{t}-people"]) for t in ("acme", "globex")]
    groups = of_each(lambda t: group(f"{t}-people", invoke(f"{t}/*")))
    accounts = export(*of_each(of_path), users=users, groups=groups)
    assert init(folder, iam=accounts, sm=SHARED) == {
        t: ([f"{PREFIX}/{t}/*"], {f"tenants/{t}/invoke-{len(t)}", f"user{len(t)}"})
        for t in ("acme", "globex")
    }


def test_tags_that_policies_compare_for_other_reasons(folder: Path) -> None:
    prod = {"StringEquals": {"aws:PrincipalTag/Environment": "prod"}}
    tags = {"Environment": "prod"}
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(f"{t}/*"), tag={**tags, "tenant": t}))
    others = [role(f"batch{n}", allow("s3:*", **prod), tag=tags) for n in range(3)]
    assert init(folder, iam=export(*roles, *others), sm=SHARED) == both()


def test_denies_that_spare_a_tenants_own(folder: Path) -> None:
    def wall(tenant: str) -> Json:
        deny = {
            "Effect": "Deny",
            "Action": "sagemaker:InvokeEndpoint",
            "Resource": "*",
            "Condition": {"StringNotLike": {"sagemaker:TargetModel": f"{tenant}/*"}},
        }
        return role(f"{tenant}-invoke", allow("sagemaker:InvokeEndpoint"), deny)

    assert init(folder, iam=export(*of_each(wall)), sm=SHARED) == both()


# -- leaks do not hide tenants -----------------------------------------------------------------


@pytest.mark.parametrize(
    "leak", [["acme*"], ["*"], ["acme/*", "globex/*"], ["globex/*"], [], ["a*", "acme/*"]]
)
@pytest.mark.parametrize("tagged", [True, False])
def test_a_leak_in_a_policy_leaves_its_role_a_tenants(
    folder: Path, leak: list[str], tagged: bool
) -> None:
    tags = {"tenant": "acme"} if tagged else {}
    roles = [
        role("acme-invoke", invoke(*leak), tag=tags),
        role("globex-invoke", invoke("globex/*"), tag={"tenant": "globex"} if tagged else {}),
        role("initech-invoke", invoke("initech/*"), tag={"tenant": "initech"} if tagged else {}),
    ]
    found = init(folder, iam=export(*roles, execution_role()), sm=SHARED)
    assert found == {
        name: ([f"{PREFIX}/{name}/*"], {f"{name}-invoke"}) for name in ("acme", "globex", "initech")
    }


@pytest.mark.parametrize("patterns", [("acme*", "acme-eu*"), ("acme*", "acme-eu/*")])
def test_a_missing_slash_is_no_tenants_folder(folder: Path, patterns: tuple[str, str]) -> None:
    """Taken as it stands, the pattern that leaks would be the artifacts of who leaks."""
    names = ("acme", "acme-eu")
    roles = [
        role(f"{name}-invoke", invoke(pattern), tag={"tenant": name})
        for name, pattern in zip(names, patterns, strict=True)
    ]
    found = init(folder, iam=export(*roles, execution_role()), sm=SHARED)
    assert {name: urls for name, (urls, _) in found.items()} == {
        "acme": [f"{PREFIX}/acme/*"],
        "acme-eu": [f"{PREFIX}/{patterns[1]}"],
    }
    done = CliRunner().invoke(main, ["check", "--format", "json", str(folder)])
    assert [
        (finding["tenant"], finding["route"], finding["victims"])
        for finding in json.loads(done.stdout)["findings"]
        if finding["verdict"] == "LEAK"
    ] == [("acme", "target-model", ["acme-eu"])]


def test_an_execution_role_and_those_of_platforms_are_nobodys(folder: Path) -> None:
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(f"{t}/*"), tag={"tenant": t}))
    others = [
        role("ci-deploy-acme", allow("sagemaker:*")),
        role("acme-globex-bridge", allow("sts:AssumeRole")),
        role("platform", allow("*"), tag={"tenant": "platform"}),
        role("acme-training", AssumeRolePolicyDocument=trust(Service="sagemaker.amazonaws.com")),
        execution_role(),
    ]
    text = (init(folder, iam=export(*roles, *others), sm=SHARED), folder / "tenantproof.toml")
    assert text[0] == both()
    written = text[1].read_text("utf-8")
    for other in others:
        assert f"#   {other['Arn']}: " in written


# -- other layouts -----------------------------------------------------------------------------


def test_an_endpoint_for_each_tenant(folder: Path) -> None:
    sm = of_each(lambda t: endpoint(f"{t}-scoring", f"{t}-model"))
    models = of_each(lambda t: single(f"{t}-model", f"{PREFIX}/{t}/v1/model.tar.gz"))
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(endpoint=f"{t}-scoring")))
    found = init(folder, iam=export(*roles), sm=sm, models=models)
    assert found == both()


def test_endpoints_that_say_whose_an_artifact_is(folder: Path) -> None:
    urls = {"acme": f"{PREFIX}/7f3a/model.tar.gz", "globex": f"{PREFIX}/9bc2/model.tar.gz"}
    sm = of_each(lambda t: endpoint(f"{t}-scoring", f"{t}-model"))
    models = of_each(lambda t: single(f"{t}-model", urls[t]))
    roles = of_each(lambda t: role(f"{t}-app", invoke(endpoint=f"{t}-scoring")))
    found = init(folder, iam=export(*roles), sm=sm, models=models)
    assert found == {t: ([url], {f"{t}-app"}) for t, url in urls.items()}


def test_a_bucket_for_each_tenant(folder: Path) -> None:
    sm = of_each(lambda t: endpoint(f"{t}-scoring", f"{t}-model"))
    models = of_each(lambda t: single(f"{t}-model", f"s3://{t}-models/v1/model.tar.gz"))
    roles = of_each(
        lambda t: role(f"{t}-invoke", invoke(endpoint=f"{t}-scoring"), tag={"tenant": t})
    )
    found = init(folder, iam=export(*roles), sm=sm, models=models)
    assert found == both("s3://{}-models/*")


def test_a_multi_model_endpoint_for_one_tenant_beside_the_shared_one(folder: Path) -> None:
    own = endpoint("globex-own", "globex-mme")
    models = {"models": [{**SHARED["models"][0], "ModelName": "globex-mme", "ModelArn": None}]}
    models["models"][0]["PrimaryContainer"] = {
        "Mode": "MultiModel",
        "ModelDataUrl": "s3://ml-artifacts/globex/",
    }
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(f"{t}/*"), tag={"tenant": t}))
    found = init(folder, iam=export(*roles), sm=SHARED, own=own, models=models)
    assert found["acme"] == both()["acme"]
    assert found["globex"][0] == ["s3://ml-artifacts/globex/*", f"{PREFIX}/globex/*"]


def test_an_endpoint_whose_prefix_is_wider_than_its_tenants(folder: Path) -> None:
    """Were the whole prefix taken for the tenant's own, the leak would be gone."""
    urls = {"acme": f"{PREFIX}/", "globex": f"{PREFIX}/globex/"}
    sm = of_each(lambda t: {**endpoint(f"{t}-mme", f"{t}-mme"), "m": [model(f"{t}-mme", urls[t])]})
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(endpoint=f"{t}-mme"), tag={"tenant": t}))
    assert init(folder, iam=export(*roles), sm=sm) == both()


def test_two_tenants_endpoints_of_one_prefix(folder: Path) -> None:
    sm = of_each(
        lambda t: {**endpoint(f"{t}-mme", f"{t}-mme"), "m": [model(f"{t}-mme", f"{PREFIX}/")]}
    )
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(endpoint=f"{t}-mme"), tag={"tenant": t}))
    assert init(folder, iam=export(*roles), sm=sm) == both()


def test_files_without_folders(folder: Path) -> None:
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(f"{t}.tar.gz"), tag={"tenant": t}))
    assert init(folder, iam=export(*roles), sm=SHARED) == both(f"{PREFIX}/{{}}.tar.gz")


def test_without_descriptions_of_endpoints_target_models_are_owned(folder: Path) -> None:
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(f"{t}/*")))
    written = manifest(folder, iam=export(*roles))
    assert [t["owns"] for t in written["tenants"]] == [["acme/*"], ["globex/*"]]
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/models"
    assert written["endpoints"] == [{"arn": arn}]


def test_identifiers_as_tags_and_other_names_as_folders(folder: Path) -> None:
    folders = {"t-001": "acme", "t-002": "globex"}
    roles = [
        role(f"app{n}", invoke(f"{name}/*", *(["globex/*"] if name == "acme" else [])),
             tag={"tenant": tag})
        for n, (tag, name) in enumerate(folders.items())
    ]  # fmt: skip
    found = init(folder, iam=export(*roles), sm=SHARED)
    assert {t: a for t, (a, _) in found.items()} == {
        tag: [f"{PREFIX}/{name}/*"] for tag, name in folders.items()
    }


def test_sessions_of_one_role(folder: Path) -> None:
    """A vendor's role; the callers' policies say which tag each may set."""

    def caller(tenant: str) -> Json:
        vendor = f"arn:aws:iam::{ACCOUNT}:role/vendor"
        tag = {"StringEquals": {"aws:RequestTag/tenant": tenant}}
        return role(f"{tenant}-backend", allow(["sts:AssumeRole", "sts:TagSession"], vendor, **tag))

    roles = [*of_each(caller), role("vendor", ABAC), execution_role()]
    written = manifest(folder, iam=export(*roles), sm=SHARED)
    acme = written["tenants"][0]
    assert acme["artifacts"] == [f"{PREFIX}/acme/*"]
    assert acme["principals"] == [
        {"arn": f"arn:aws:iam::{ACCOUNT}:role/acme-backend"},
        {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/vendor/acme", "tags": {"tenant": "acme"}},
    ]


def test_a_caller_that_may_set_any_tag(folder: Path) -> None:
    vendor = f"arn:aws:iam::{ACCOUNT}:role/vendor"
    actions = ["sts:AssumeRole", "sts:TagSession"]
    pinned = {"StringEquals": {"aws:RequestTag/tenant": "globex"}}
    roles = [
        role("acme-backend", allow(actions, vendor)),
        role("globex-backend", allow(actions, vendor, **pinned)),
        role("vendor", ABAC),
    ]
    assert init(folder, iam=export(*roles), sm=SHARED) == {
        t: ([f"{PREFIX}/{t}/*"], {f"{t}-backend", f"vendor/{t}"}) for t in ("acme", "globex")
    }


def test_names_alone(folder: Path) -> None:
    roles = of_each(lambda t: role(f"svc-{t}-runtime", invoke()), "acme", "globex", "initech")
    found = init(folder, iam=export(*roles), sm=SHARED)
    assert found == {
        t: ([f"{PREFIX}/{t}/*"], {f"svc-{t}-runtime"}) for t in ("acme", "globex", "initech")
    }


def test_artifacts_of_two_tenants_never_overlap(folder: Path) -> None:
    roles = of_each(
        lambda t: role(t, invoke(f"{t}/*"), tag={"tenant": t}), "acme", "acme-eu", "eu", "acme.eu"
    )
    nested = role("x", invoke("acme/nested/*"), tag={"tenant": "nested"})
    found = init(folder, iam=export(*roles, nested), sm=SHARED)
    prefixes = [url[:-1] for urls, _ in found.values() for url in urls]
    assert len(prefixes) > 1
    assert not any(a != b and a.startswith(b) for a in prefixes for b in prefixes)


def test_shared_folders(folder: Path) -> None:
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(f"{t}/*", "common/*")))
    manifest(folder, iam=export(*roles), sm=SHARED)
    text = (folder / "tenantproof.toml").read_text("utf-8")
    assert f"# {PREFIX}/common/* is no tenant's" in text


def test_a_tenant_without_a_principal_is_a_victim(folder: Path) -> None:
    """Its endpoint says whose it is; that nobody is known to act for it does not make it safe."""
    owner = [{"Key": "tenant", "Value": "initech"}]
    sm = [SHARED, endpoint("for-initech", "initech-model", Tags=owner)]
    models = [single("initech-model", "s3://ml-artifacts/initech/model.tar.gz")]
    everything = allow("s3:GetObject", "arn:aws:s3:::ml-artifacts/*")
    roles = [
        role("acme-invoke", invoke("acme/*"), everything, tag={"tenant": "acme"}),
        role("globex-invoke", invoke("globex/*"), tag={"tenant": "globex"}),
    ]
    written = manifest(folder, iam=export(*roles, execution_role()), sm=sm, models=models)
    (victim,) = [tenant for tenant in written["tenants"] if tenant["name"] == "initech"]
    assert victim == {
        "name": "initech",
        "artifacts": ["s3://ml-artifacts/initech/*"],
    }
    done = CliRunner().invoke(main, ["check", "--format", "json", str(folder)])
    leaks = [f for f in json.loads(done.stdout)["findings"] if f["verdict"] == "LEAK"]
    assert [(leak["route"], leak["victims"]) for leak in leaks] == [
        ("object", ["globex", "initech"])
    ]


# -- the command -------------------------------------------------------------------------------


def test_a_manifest_that_is_there_is_kept(folder: Path) -> None:
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(f"{t}/*")))
    sources = write(folder / "account", iam=export(*roles), sm=SHARED)
    output = folder / "tenantproof.toml"
    output.write_text("mine", "utf-8")
    arguments = ["init", "--from", str(sources), "--output", str(output)]
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 2
    assert "expected none (--force writes over it)" in refused.output
    assert output.read_text("utf-8") == "mine"
    done = CliRunner().invoke(main, [*arguments, "--force"])
    assert done.exit_code == 0
    assert f"next: tenantproof check {output}" in done.output


def test_nothing_that_tells_tenants_apart(folder: Path) -> None:
    sources = write(folder / "account", iam=export(role("admin", allow("*"))), sm=SHARED)
    output = folder / "tenantproof.toml"
    done = CliRunner().invoke(main, ["init", "--from", str(sources), "--output", str(output)])
    assert done.exit_code == 2
    assert "found nothing that tells tenants apart" in done.output
    assert not output.exists()


@pytest.mark.parametrize("name", ["tenant-inference", "customer-models-api"])
def test_a_role_that_is_assumed_for_tenants_nobody_names_is_no_tenant(
    folder: Path, name: str
) -> None:
    """A lone broker and its role: one tenant of that name would be kept apart from nobody."""
    broker = role("token-broker", allow(["sts:AssumeRole", "sts:TagSession"]))
    sources = write(folder / "account", iam=export(broker, role(name, ABAC)), sm=SHARED)
    output = folder / "tenantproof.toml"
    done = CliRunner().invoke(main, ["init", "--from", str(sources), "--output", str(output)])
    assert done.exit_code == 2
    assert "found nothing that tells tenants apart" in done.output
    assert not output.exists()


def test_a_broker_with_callers_is_told_from_them(folder: Path) -> None:
    callers = of_each(lambda t: role(f"{t}-app", allow("sts:AssumeRole"), tag={"tenant": t}))
    accounts = export(*callers, role("tenant-inference", ABAC), execution_role())
    assert init(folder, iam=accounts, sm=SHARED) == {
        t: ([f"{PREFIX}/{t}/*"], {f"{t}-app", f"tenant-inference/{t}"}) for t in ("acme", "globex")
    }


def test_one_tenant_alone_has_nobody_to_be_kept_apart_from(folder: Path) -> None:
    acme = role("acme-invoke", invoke("acme/*"), tag={"tenant": "acme"})
    cut = {**export(acme), "IsTruncated": True, "Marker": "more"}
    sources = write(folder / "account", iam=cut, sm=SHARED)
    output = folder / "tenantproof.toml"
    done = CliRunner().invoke(main, ["init", "--from", str(sources), "--output", str(output)])
    assert done.exit_code == 2
    assert "found nobody to keep acme apart from" in done.output
    assert "hint: the export is cut off" in done.output
    assert not output.exists()


def test_where_templates_are_deployed_is_written_down(folder: Path) -> None:
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(f"{t}/*")))
    sources = write(folder / "account", iam=export(*roles), sm=SHARED)
    output = folder / "tenantproof.toml"
    arguments = ["init", "--from", str(sources), "--output", str(output), "--account", ACCOUNT]
    arguments += ["--region", "eu-west-1", "--parameter", "Bucket=a=b", "--parameter", "Empty="]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert tomllib.loads(output.read_text("utf-8"))["deployment"] == {
        "account": ACCOUNT,
        "region": "eu-west-1",
        "parameters": {"Bucket": "a=b", "Empty": ""},
    }
    assert CliRunner().invoke(main, ["check", str(output)]).exit_code == 0


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--account", "prod", "found 'prod', expected the twelve digits of an account"),
        ("--parameter", "Bucket", "found 'Bucket', expected NAME=VALUE"),
    ],
)
def test_options_that_say_nothing(folder: Path, option: str, value: str, message: str) -> None:
    done = CliRunner().invoke(main, ["init", "--from", str(folder), option, value])
    assert done.exit_code == 2
    assert message in done.output


def test_sources_are_named_from_the_manifests_folder(folder: Path) -> None:
    roles = of_each(lambda t: role(f"{t}-invoke", invoke(f"{t}/*")))
    assert manifest(folder, iam=export(*roles), sm=SHARED)["sources"] == ["account"]


def test_texts_that_toml_must_escape(folder: Path) -> None:
    names = ['a"cme\\x', "glo\x7fbex"]
    roles = [role(f"r{n}", ABAC, tag={"tenant": name}) for n, name in enumerate(names)]
    assert init(folder, iam=export(*roles), sm=SHARED)


words = st.sampled_from(
    [
        "acme",
        "acme-eu",
        "eu",
        "common",
        "a",
        "tenant-b",
        "globex",
        "Globex",
        "x.y",
        "ci",
        "7",
        "",
        "é",
    ]
)
targets = st.sampled_from(["{}/*", "{}*", "*", "{}/v1/{}/*", "{}.tar.gz", "*/{}", "/{}/*", "?{}/*"])
urls = st.sampled_from(
    ["models/", "", "models/{}/", "{}", "a//{}/", "models/{}/m.tar.gz", "../{}/"]
)


@st.composite
def identities(draw: st.DrawFn) -> Json:
    make = draw(st.sampled_from([role, user]))
    own = draw(words)
    name = draw(st.sampled_from(["{}-role", "{}", "app_{}", "Svc{}"])).format(own) or "x"
    patterns = [draw(targets).format(*[draw(words)] * 2) or "*" for _ in range(draw(small))]
    keys = [f"arn:aws:s3:::ml-artifacts/{draw(urls).format(draw(words))}*" for _ in range(2)]
    tag = draw(st.sampled_from([{}, {"tenant": own}, {"Customer": own}, {"team": own}]))
    number = draw(st.integers(0, 99))
    safe = "".join(c for c in name if c.isascii()) or "x"
    return make(f"{safe}{number}", invoke(*patterns), allow("s3:GetObject", keys), tag=tag)


small = st.integers(0, 3)


@given(st.lists(identities(), max_size=8), st.lists(urls, max_size=3), words)
@settings(max_examples=150, deadline=None)
def test_whatever_the_account_artifacts_of_two_tenants_do_not_overlap(
    tmp_path_factory: pytest.TempPathFactory, who: list[Json], prefixes: list[str], word: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    unique = {each["Arn"]: each for each in who}.values()
    roles = [each for each in unique if "RoleName" in each]
    users = [each for each in unique if "UserName" in each]
    models = [
        {**endpoint(f"e{n}", f"m{n}"), "m": model(f"m{n}", f"s3://ml-artifacts/{url.format(word)}")}
        for n, url in enumerate(prefixes)
    ]
    write(folder / "account", iam=export(*roles, users=users), sm=models)
    estate = load_sources([folder / "account"])
    guessed = guess(estate)
    written = tomllib.loads(manifest_text(guessed, ["account"]))
    assert len(written.get("tenants", [])) == len(guessed.tenants)
    assert all(tenant.principals for tenant in guessed.tenants)
    literal = [
        (tenant.name, pattern.partition("*")[0].partition("?")[0], pattern)
        for tenant in guessed.tenants
        for pattern in tenant.artifacts.patterns
    ]
    for name, one, pattern in literal:
        for other_name, other, other_pattern in literal:
            if name != other_name and pattern != one:
                assert not other.startswith(one), (pattern, other_pattern)
    principals = [p.arn for tenant in guessed.tenants for p in tenant.principals]
    assert len(principals) == len(set(principals))
