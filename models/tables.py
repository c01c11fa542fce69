"""Every table, imported together so that the metadata is whole."""

from models import (
    account,
    certificate,
    event,
    idempotency,
    invite,
    key_proof,
    region,
    registration,
    second_factor,
    tally,
    throttle,
    union,
)
from models.base import Base

metadata = Base.metadata
__all__ = [
    "account",
    "certificate",
    "event",
    "idempotency",
    "invite",
    "key_proof",
    "metadata",
    "region",
    "registration",
    "second_factor",
    "tally",
    "throttle",
    "union",
]
