"""登记事项: what a form states about a union. A submission holds it as filed, a union as approved."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, declared_attr, mapped_column


@dataclass(frozen=True)
class Employer:
    """单位信息: the organisation whose staff a grassroots union is of."""

    name: str
    uscc: str
    address: str
    contact_name: str | None
    contact_phone: str
    staff_count: int | None


def employer_is_whole() -> CheckConstraint:
    """An employer is stated with all that it must have, or not at all."""
    return CheckConstraint(
        "num_nulls(employer_name, employer_uscc, employer_address, employer_contact_phone) in (0, 4)",
        name="employer_whole",
    )


class Particulars:
    """Columns that `submission` and `trade_union` have in common."""

    name: Mapped[str]
    uscc: Mapped[str | None]
    employer_name: Mapped[str | None]
    employer_uscc: Mapped[str | None]
    employer_address: Mapped[str | None]
    employer_contact_name: Mapped[str | None]
    employer_contact_phone: Mapped[str | None]
    employer_staff_count: Mapped[int | None]
    # AES-256-GCM, bound to this row (storage/sealing.py).
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    # HMAC of the number: finds the same person again without opening anything.
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)

    @property
    def seal_name(self) -> str:
        """What binds the seal to this row."""
        raise NotImplementedError

    @declared_attr
    def region_code(cls) -> Mapped[str]:  # noqa: N805 - a declared_attr gets the class
        return mapped_column(ForeignKey("region.code"), index=True)

    @declared_attr
    def certificate_id(cls) -> Mapped[int | None]:  # noqa: N805
        return mapped_column(ForeignKey("certificate.id"), index=True)

    @property
    def employer(self) -> Employer | None:
        if self.employer_name is None:
            return None
        return Employer(**{part.name: getattr(self, f"employer_{part.name}") for part in fields(Employer)})

    @employer.setter
    def employer(self, employer: Employer | None) -> None:
        for part in fields(Employer):
            setattr(self, f"employer_{part.name}", getattr(employer, part.name, None))
