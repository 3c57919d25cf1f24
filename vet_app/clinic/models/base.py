"""What all records share: times, an optimistic lock, and the refusal of characters that PostgreSQL cannot store."""

from __future__ import annotations

from typing import Any, ClassVar, Collection, Dict, List, Mapping, NoReturn, Optional, Tuple

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from vetclinic.errors import Locked


class Record(models.Model):
    """A row with the times of its creation and last change."""

    created_at = models.DateTimeField(gettext_lazy("created"), auto_now_add=True)
    updated_at = models.DateTimeField(gettext_lazy("changed"), auto_now=True)

    refusals: ClassVar[Mapping[str, Tuple[str, Any]]] = {}
    """What to say where a constraint of the table is broken, by its name: a field, and a sentence next to it."""

    class Meta:
        abstract = True

    def derive(self) -> None:
        """Fill the columns that follow from others. Every save does it, and so must code that creates rows in bulk."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save with the derived columns."""
        self.derive()
        super().save(*args, **kwargs)

    def clean_fields(self, exclude: Optional[Collection[str]] = None) -> None:
        """Django's checks, after refusing NUL characters with an error beside their field."""
        skipped = set(exclude or ())
        errors = {}
        for field in self._meta.concrete_fields:
            value: Any = getattr(self, field.attname)
            if field.name not in skipped and isinstance(value, str) and "\x00" in value:
                errors[field.name] = [_("This text contains a character that cannot be stored.")]
        if errors:
            raise ValidationError(errors)
        super().clean_fields(exclude=exclude)

    def refusal(self, constraint: str) -> Tuple[str, Any]:
        """The field and the sentence for a constraint that this row breaks."""
        return self.refusals[constraint]

    def validate_constraints(self, exclude: Optional[Collection[str]] = None) -> None:
        """Django's checks, with sentences of the clinic in place of the constraints' names."""
        errors: Dict[str, List[Any]] = {}
        constraints: Any = self._meta.constraints
        for constraint in constraints:
            try:
                constraint.validate(type(self), self, exclude=set(exclude or ()))
            except ValidationError:
                field, sentence = self.refusal(constraint.name)
                errors.setdefault(field, []).append(sentence)
        if errors:
            raise ValidationError(errors)


class VersionedRecord(Record):
    """A record that people edit; a change must name the `version` it was based on, which grows with each change."""

    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True


class FinalRecord(Record):
    """A record that is neither changed nor deleted once it is there; what was wrong is set right by another one."""

    final: ClassVar[Any]
    """What to say to who tries."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save a new record; raises Locked for one that exists."""
        if not self._state.adding:
            raise Locked(self.final)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Always raises Locked."""
        raise Locked(self.final)
