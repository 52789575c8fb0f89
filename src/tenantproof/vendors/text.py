"""A vendor's report as text for people, the findings with a line each that shows them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantproof.isolation import Verdict
from tenantproof.report.text import finding_lines
from tenantproof.vendors.findings import (
    Crossing,
    NoPolicy,
    Nothing,
    Raised,
    Unsteady,
    VendorFinding,
    VendorReport,
)
from tenantproof.vendors.vendor import Vendor, vendor_of

_MOST_LINES = 40
_WIDEST = 160


def to_text(report: VendorReport) -> str:
    """The report as lines of text: the verdict first, what it claims last."""
    vendor = report.vendor
    lines = [f"tenantproof policy vendor {vendor.name}: {report.verdict.value}", ""]
    for finding in report.findings:
        lines += [*map(_printable, _lines_of(finding, vendor)), ""]
    if not report.findings:
        lines += ["Assumed:", *(f"  - {each}" for each in report.assumptions), ""]
    return "\n".join([*lines, *_claim(report), ""])


def _claim(report: VendorReport) -> Iterator[str]:
    tried, refused = len(report.tried), len(report.refused)
    aside = f", {refused} more refused" if refused else ""
    names = f"{tried} name{'' if tried == 1 else 's'} tried{aside}"
    verdict = report.verdict.value
    if report.verdict is not Verdict.PROVED:
        yield f"{verdict}: {names}"
    elif report.vendor.listed is not None:
        yield f"{verdict}: every two of the names listed are kept apart ({names})"
    elif report.all_names.is_proved:
        yield f"{verdict}: every two names that match {report.vendor.names!r} are kept apart"
        yield f"         if each that is not refused is substituted like the {names}"
    else:
        yield f"{verdict}: every two of the names tried are kept apart ({names})"
        yield f"         of other names nothing is proved: {_printable(report.all_names.reason)}"


def _lines_of(finding: VendorFinding, vendor: Vendor) -> Iterator[str]:
    match finding:
        case Crossing(answer=answer, texts=texts):
            yield from "\n".join(finding_lines(answer)).rstrip().split("\n")
            yield from _rendered("rendered", texts)
        case NoPolicy(name, error, texts):
            yield f"UNKNOWN  what is rendered for {name!r} is no policy"
            yield from (f"         {line}" for line in str(error).split("\n"))
            yield from _rendered("rendered", texts)
        case Raised(name, error):
            refuses = ", ".join(each.__name__ for each in vendor.refuses) or "nothing"
            yield f"UNKNOWN  {vendor.name}({name!r}) raises {type(error).__name__}: {error}"
            yield f"         expected policies, or a refusal of the name by {refuses}"
        case Unsteady(name, texts, again):
            yield f"UNKNOWN  {vendor.name}({name!r}) renders other policies when called again"
            yield from _rendered("first", texts)
            yield from _rendered("then", again)
        case Nothing(reason):
            yield f"UNKNOWN  nothing was proved: {reason}"
    if finding.more:
        yield f"         and so   {_listed(finding.more)}"
    if finding.names:
        yield f"         again    {_call(vendor, finding.names)}"


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(repr(name) if len(name) <= 24 else f"{name[:24]!r}..." for name in names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"


def _rendered(title: str, texts: Mapping[str, str]) -> Iterator[str]:
    for text in texts.values():
        lines = text.split("\n")
        for at, line in enumerate(lines[:_MOST_LINES]):
            cut = line if len(line) <= _WIDEST else f"{line[:_WIDEST]}..."
            yield f"         {'' if at else title:<8} {cut}"
        if len(lines) > _MOST_LINES:
            yield f"                  ... {len(lines) - _MOST_LINES} lines more"


def _call(vendor: Vendor, names: tuple[str, ...]) -> str:
    """The call that asks about some names alone; a marked function need not be described."""
    marked = vendor_of(vendor.render)
    fields = ("endpoints", "owns", "shared", "principal", "tags", "excluded", "refuses")
    is_told = marked is not None and all(getattr(marked, f) == getattr(vendor, f) for f in fields)
    said = [vendor.name, f"names={list(names)!r}", *([] if is_told else _described(vendor))]
    return f"assert_vendor_isolated({', '.join(said)})"


def _described(vendor: Vendor) -> Iterator[str]:
    yield f"endpoint={_one_or_more(vendor.endpoints)}"
    yield f"owns={_one_or_more(vendor.owns)}"
    for name in ("shared", "excluded"):
        if values := getattr(vendor, name):
            yield f"{name}={_one_or_more(values)}"
    if vendor.principal:
        yield f"principal={vendor.principal!r}"
    if vendor.tags:
        yield f"tags={dict(vendor.tags)!r}"
    if vendor.refuses != (ValueError,):
        yield f"refuses=({', '.join(each.__name__ for each in vendor.refuses)},)"


def _one_or_more(texts: tuple[str, ...]) -> str:
    return repr(texts[0]) if len(texts) == 1 else repr(list(texts))


def _printable(line: str) -> str:
    """A line in which a name cannot end the line, or turn what follows around."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
