"""照片重复: other registrations in reach that show the same photo."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Select, func, literal_column, select
from sqlalchemy.orm import aliased

from models.certificate import Certificate
from models.duplicates import MOST
from models.registration import Registration, Submission
from storage import scope
from storage.reading.rows import Eyes
from storage.sources import RegistrationRows

_shown: Final[Any] = aliased(Certificate, name="shown")
_alike: Final[Any] = aliased(Certificate, name="alike")
_filed: Final[Any] = aliased(Submission, name="filed")
_other: Final[Any] = aliased(Registration, name="same")


def statement(of: RegistrationRows, eyes: Eyes) -> Select[Any]:
    """Of a registration: each `registration_id` that has shown its photo in any round, and its `place`, newest first.

    A photo is the same if its bytes are as the server wrote them: the same upload, whoever sends it, under whatever
    name and with whatever metadata.
    """
    form = of.current
    filed = (
        select(_filed.registration_id)
        .join(_alike, _alike.id == _filed.certificate_id)
        .join(_shown, _shown.sha256 == _alike.sha256)
        .where(_shown.id == form.certificate_id, _shown.erased_at.is_(None))
        .correlate(form.main)
        .offset(0)  # the photo first, the reach after
    )
    place = func.row_number().over(order_by=_other.id.desc())
    return (
        select(_other.id.label("registration_id"), place.label("place"))
        .where(_other.id.in_(filed), _other.id != of.id, scope.registrations(eyes, _other).is_(True))
        .order_by(place)
        .limit(literal_column(str(MOST)))
    )
