"""What can be read: each kind of thing with its table, its key, and which of its rows a viewer may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from sqlalchemy import FromClause, and_

from models.account import Account, Appointment, Session
from models.base import Base
from models.certificate import Certificate
from models.event import Event
from models.invite import Invite
from models.region import Region
from models.registration import Registration, Review, Submission
from models.union import TradeUnion
from storage import scope
from storage.reading.rows import Rows, Source


def _table(model: type[Base]) -> Any:
    return model.__table__


class RegistrationRows(Rows):
    """Registrations, with the round that is current beside each if anything of it is asked for."""

    @cached_property
    def current(self) -> Rows:
        return Rows(SUBMISSION.fresh().main)

    @property
    def joined(self) -> FromClause:
        if "current" not in vars(self):
            return self.main
        current = self.current
        is_current = and_(current.registration_id == self.id, current.round == self.round)
        return self.main.join(current.main, is_current)

    @property
    def tables(self) -> Sequence[FromClause]:
        return [self.main, *([self.current.main] if "current" in vars(self) else [])]


UNION: Final = Source("Union", _table(TradeUnion), scope.unions)
REGISTRATION: Final = Source("Registration", _table(Registration), scope.registrations, rows=RegistrationRows)
# Registrations again, as what another one leads to: without what would lead on from there.
PHOTO_MATCH: Final = Source("PhotoMatch", _table(Registration), scope.registrations, rows=RegistrationRows)
INVITE: Final = Source("Invite", _table(Invite), scope.invites)
CERTIFICATE: Final = Source("Certificate", _table(Certificate), scope.certificates)
ACCOUNT: Final = Source("Account", _table(Account), scope.accounts)
APPOINTMENT: Final = Source("Appointment", _table(Appointment), scope.appointments)
EVENT: Final = Source("Event", _table(Event), scope.events)
# Events again, as those see them who answer for them.
REVEAL: Final = Source("IdNumberReveal", _table(Event), scope.reveals)

# GB/T 2260 is public, and a card is what anyone may know of a union that they were led to.
REGION: Final = Source("Region", _table(Region), key=("code",))
CARD: Final = Source("UnionCard", _table(TradeUnion))

# These are parts of a registration, and of the person who asks: whoever is shown that is shown them.
SUBMISSION: Final = Source("Submission", _table(Submission), key=("registration_id", "round"))
REVIEW: Final = Source("Review", _table(Review), key=("registration_id", "round"))
VIEWER: Final = Source("Viewer", _table(Account))
SESSION: Final = Source("Session", _table(Session))

# What `node` looks for, by the type in a global id.
NODES: Final = {
    source.name: source for source in (UNION, REGISTRATION, INVITE, CERTIFICATE, ACCOUNT, APPOINTMENT, EVENT)
}
