"""The slips that people make in policies, and why each is one."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """A kind of slip; the value is how reports and ``--kind`` name it.

    All of them can give access. A slip that only takes access away is told by the first tenant who
    is refused; one that gives access is told by nobody, so that only a test can notice it.
    """

    SLASH_DROPPED = "slash-dropped"
    """``acme/*`` is written ``acme*``, which is ``acme-corp/...`` too: the classic one."""

    WILDCARD_WIDENED = "wildcard-widened"
    """``acme/models/*`` is made ``acme/*`` or ``*``, a ``*`` is put behind a whole name, a network
    is made ``0.0.0.0/0``: to get something to work, and it stays."""

    CASE_CHANGED = "case-changed"
    """What a Deny names is written in another case (``Internal/*``), so that it denies nothing."""

    OPERATOR_LOOSENED = "operator-loosened"
    """``StringEquals`` is made ``StringLike`` or ``StringEqualsIgnoreCase`` where an Allow asks,
    the reverse where a Deny does (a ``*`` under ``StringEquals`` is a plain character),
    ``NumericLessThan`` is made ``NumericLessThanEquals``: the names are near each other."""

    IF_EXISTS = "if-exists"
    """``...IfExists`` is added to what an Allow asks for, to let through the requests that have no
    such key; or taken from a Deny, which then misses them."""

    FOR_ALL_VALUES = "for-all-values"
    """``ForAllValues:`` is put before an operator, or in the place of ``ForAnyValue:``: it reads
    like the stricter one, and holds for requests without the key."""

    NEGATION_DROPPED = "negation-dropped"
    """The ``Not`` of ``StringNotLike`` is lost, in a Deny mostly: what was to be the exception is
    all that is denied."""

    BOOLEAN_FLIPPED = "boolean-flipped"
    """``true`` is written for ``false`` under ``Bool`` or ``Null``: whether ``Null`` true means
    that the key is there or that it is not, few remember."""

    CONDITION_REMOVED = "condition-removed"
    """A condition key of an Allow, or all its conditions, are taken out: to find out why something
    is refused, say."""

    VALUE_REMOVED = "value-removed"
    """One of several things that a Deny names, or that an Allow leaves out, is lost."""

    DENY_REMOVED = "deny-removed"
    """A Deny statement is lost in a merge, or taken out with what looked like a double."""

    DENY_NARROWED = "deny-narrowed"
    """A Deny of ``sagemaker:Invoke*`` is made one of ``sagemaker:InvokeEndpoint``, which leaves out
    the actions without a TargetModel; one of all resources is made one of some."""

    EFFECT_FLIPPED = "effect-flipped"
    """``Allow`` is written for ``Deny``, in a statement copied from another."""

    ACTION_WIDENED = "action-widened"
    """``sagemaker:InvokeEndpoint`` is made ``sagemaker:Invoke*``, ``sagemaker:*`` or ``*``: to save
    a list of actions."""

    RESOURCE_WIDENED = "resource-widened"
    """An endpoint's name, region or account in a Resource is made ``*``, or the whole of it: so
    that the same policy serves more than one."""

    VARIABLE_REPLACED = "variable-replaced"
    """``${aws:PrincipalTag/tenant}`` is made ``*``, ``${aws:username}``, or a tag of the request or
    of the resource, which the caller chooses: their names are near each other."""

    VARIABLE_DEFAULT = "variable-default"
    """A default is put into a policy variable, or taken out of it: it decides about callers without
    the tag."""

    VERSION_DROPPED = "version-dropped"
    """``Version`` is left out, which makes ``${...}`` plain text."""

    @property
    def widens(self) -> bool:
        """Whether a mutant of this kind allows all that the policy allows.

        So it is in an Allow statement always, in a Deny where no policy variable is lost: one
        without a value may have voided the statement.
        """
        return self not in _MAY_TAKE_ACCESS


_MAY_TAKE_ACCESS = frozenset(
    {
        Kind.CASE_CHANGED,
        Kind.FOR_ALL_VALUES,
        Kind.NEGATION_DROPPED,
        Kind.BOOLEAN_FLIPPED,
        Kind.VARIABLE_REPLACED,
        Kind.VARIABLE_DEFAULT,
        Kind.VERSION_DROPPED,
    }
)
