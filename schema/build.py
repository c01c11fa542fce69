"""The schema, whole."""

from __future__ import annotations

import strawberry
from strawberry.schema.config import StrawberryConfig

import schema.enums  # noqa: F401 - names and describes the enums before a field shows one
from schema import multipart, scalars
from schema.accounts import AccountMutations, Appointment
from schema.certificates import Certificate, CertificateMutations
from schema.events import Event
from schema.faults import Schema
from schema.invites import InviteMutations
from schema.limits import DocumentLimits, Validation
from schema.query import Query
from schema.registering import RegisteringMutations
from schema.reviewing import ReviewingMutations
from schema.second_factor import SecondFactorMutations
from schema.sessions import SessionMutations
from schema.signing_in import SigningInMutations


@strawberry.type(
    description="操作: each takes one `input`; what a person can mend comes back in `errors`, all at once."
)
class Mutation(
    SigningInMutations,
    SessionMutations,
    SecondFactorMutations,
    AccountMutations,
    InviteMutations,
    CertificateMutations,
    RegisteringMutations,
    ReviewingMutations,
):
    pass


def build_schema() -> Schema:
    """The schema that the endpoint serves and `schema/schema.graphql` shows."""
    return Schema(
        query=Query,
        mutation=Mutation,
        types=[Appointment, Certificate, Event],
        extensions=[DocumentLimits, Validation],
        config=StrawberryConfig(scalar_map={**scalars.SCALARS, **multipart.SCALARS}),
    )
