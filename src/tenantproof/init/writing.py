"""The manifest of a guess, as text: TOML with a comment behind each guess.

The text is written by hand, not by a library: a comment is the point of each line here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tenantproof.account import Estate
from tenantproof.errors import InputError, Place, Problem
from tenantproof.init.guessing import Guess, GuessedTenant, guess
from tenantproof.sources import Deployment, load_sources

_SHOWN = 200
"""So many identities of no tenant are listed; of more, how many."""

_NAMED = 5


def write_manifest(
    sources: Sequence[Path],
    output: Path,
    *,
    force: bool = False,
    lenient: bool = False,
    deployment: Deployment | None = None,
) -> tuple[Guess, Estate]:
    """Read sources, guess the tenants, and write a manifest.

    Args:
        sources: files and folders, as :func:`tenantproof.sources.load_sources` reads them.
        output: the manifest's file.
        force: write over a file that is there.
        lenient: accept comments and trailing commas in JSON.
        deployment: where templates are deployed; the manifest says so, too.

    Returns:
        The guess, and what it was made from.

    Raises:
        InputError: the sources cannot be read, tell no tenants apart, or the file is there or
            cannot be written.
    """
    if output.exists() and not force:
        raise _refused(output, "found a file, expected none (--force writes over it)")
    deployment = deployment or Deployment()
    estate = load_sources(sources, lenient=lenient, deployment=deployment)
    guessed = guess(estate)
    if len(guessed.tenants) < 2 or not any(t.principals for t in guessed.tenants):
        hint = _what_is_known(guessed, estate)
        message = f"{_too_few(guessed)}, expected tags such as tenant, or names and prefixes that"
        place = Place(", ".join(map(str, sources)), "")
        raise InputError([Problem(f"{message} go together", place, hint=hint)])
    named = [_relative(path, output) for path in sources]
    text = manifest_text(guessed, named, deployment)
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise _refused(output, f"the manifest could not be written: {error.strerror}") from None
    return guessed, estate


def _too_few(guessed: Guess) -> str:
    """Why there is nothing to write: one tenant alone has nobody to be kept apart from."""
    if not guessed.tenants:
        return "found nothing that tells tenants apart"
    return f"found nobody to keep {guessed.tenants[0].name} apart from"


def _what_is_known(guessed: Guess, estate: Estate) -> str | None:
    """What may help to write the manifest by hand, or to complete the sources."""
    known = [f"{name} may be a tenant, but {why}" for name, why in guessed.incomplete]
    known += [f"{gap.message} ({gap.place})" for gap in estate.gaps if gap.matters]
    more = f"; and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    return "; ".join(known[:_NAMED]) + more or None


def _refused(output: Path, message: str) -> InputError:
    return InputError([Problem(message, Place(str(output), ""))])


def _relative(path: Path, output: Path) -> str:
    """A path as the manifest names it: from its own folder, where there is a way from there."""
    try:
        return Path(os.path.relpath(path.resolve(), output.resolve().parent)).as_posix()
    except ValueError:  # on another drive
        return path.resolve().as_posix()


def manifest_text(
    guessed: Guess, sources: Iterable[str], deployment: Deployment | None = None
) -> str:
    """A manifest's text.

    Args:
        guessed: what is in it.
        sources: the sources, as the manifest names them.
        deployment: where templates among them are deployed.
    """
    return "\n".join(_lines(guessed, list(sources), deployment or Deployment())) + "\n"


def _lines(guessed: Guess, sources: list[str], deployment: Deployment) -> Iterator[str]:
    yield "# Written by `tenantproof init`. What is marked as guessed is to be reviewed."
    yield ""
    yield f"sources = {_list(sources)}"
    targets = [pattern for pattern in guessed.shared if not pattern.startswith("s3://")]
    if targets:
        yield f"shared = {_list(targets)}  # guessed: the names of the folders"
    for url in guessed.shared:
        if url.startswith("s3://"):
            yield _comment(f"# {url} is no tenant's: what nobody owns nobody is kept from")
    yield from _deployment(deployment)
    for arn in guessed.endpoints:
        yield ""
        yield "[[endpoints]]"
        yield f"arn = {_text(arn)}"
    for tenant in guessed.tenants:
        yield from _tenant(tenant)
    if guessed.incomplete:
        yield ""
        yield "# These may be tenants, too:"
        yield from (_comment(f"#   {name}: {why}") for name, why in guessed.incomplete)
    if guessed.unassigned:
        yield ""
        yield "# These are no tenant's principals here; one that is belongs above:"
        for arn, why in guessed.unassigned[:_SHOWN]:
            yield _comment(f"#   {arn}: {why}")
        if len(guessed.unassigned) > _SHOWN:
            yield f"#   and {len(guessed.unassigned) - _SHOWN} more"


def _deployment(deployment: Deployment) -> Iterator[str]:
    """The table for what the user said of it."""
    given = {
        "account": deployment.account,
        "region": deployment.region,
        "partition": deployment.partition,
    }
    lines = [f"{name} = {_text(value)}" for name, value in given.items() if value is not None]
    if deployment.parameters:
        values = (f"{_text(name)} = {_text(v)}" for name, v in deployment.parameters.items())
        lines.append(f"parameters = {{ {', '.join(values)} }}")
    if lines:
        yield from ("", "[deployment]", *lines)


def _tenant(tenant: GuessedTenant) -> Iterator[str]:
    yield ""
    yield "[[tenants]]"
    yield _comment(f"# guessed: {tenant.why}")
    yield f"name = {_text(tenant.name)}"
    yield _comment(f"# guessed: {tenant.artifacts.why}")
    for field, patterns in _by_field(tenant.artifacts.patterns, "owns", "artifacts"):
        yield f"{field} = {_list(patterns)}"
    if not tenant.principals:
        yield "# No principal of it is known: others are asked whether they reach its artifacts."
    for principal in tenant.principals:
        yield ""
        yield "[[tenants.principals]]"
        yield _comment(f"arn = {_text(principal.arn)}  # guessed: {principal.why}")
        if principal.tags:
            tags = ", ".join(f"{_text(name)} = {_text(value)}" for name, value in principal.tags)
            yield f"tags = {{ {tags} }}"


def _by_field(
    patterns: Iterable[str], targets: str, artifacts: str
) -> Iterator[tuple[str, list[str]]]:
    """Patterns of TargetModels and of S3 URLs, each with the field of a manifest for them."""
    listed = list(patterns)
    urls = [pattern for pattern in listed if pattern.startswith("s3://")]
    others = [pattern for pattern in listed if not pattern.startswith("s3://")]
    yield from ((field, found) for field, found in ((targets, others), (artifacts, urls)) if found)


def _comment(line: str) -> str:
    """A line without what a comment of TOML cannot hold."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _text(value: str) -> str:
    """A basic string of TOML: JSON's, in which DEL is escaped, too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def summary(guessed: Guess, estate: Estate, output: Path) -> str:
    """What was guessed, what is to be reviewed, and what to do next."""
    lines = [f"{output}: {_count(len(guessed.tenants), 'tenant')} guessed, for review"]
    for tenant in guessed.tenants:
        where = ", ".join(tenant.artifacts.patterns)
        who = ", ".join(each.arn.rpartition(":")[2] for each in tenant.principals)
        who = who or "no principal is known"
        lines.append(f"  {tenant.name}: {where}; {who}")
    lines += [f"  not {name}: {why}" for name, why in guessed.incomplete]
    if guessed.unassigned:
        lines.append(f"{_count(len(guessed.unassigned), 'identity')} of no tenant, listed there")
    matter = sum(gap.matters for gap in estate.gaps)
    if estate.gaps:
        gaps = _count(len(estate.gaps), "gap")
        lines.append(f"{gaps} in the sources, {matter} of which may change an answer")
    lines.append(f"next: tenantproof check {output}")
    return "\n".join(_comment(line) for line in lines) + "\n"


def _count(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
