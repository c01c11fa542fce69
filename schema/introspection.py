"""Who may ask for the schema: a map of what there is to attack, which nobody needs who has not signed in."""

from collections.abc import Callable

from graphql import GraphQLError

from models.errors import Code, Problem
from schema import messages
from schema.context import GraphContext


def open_to(whom: str) -> Callable[[GraphContext], GraphQLError | None]:
    """What says why who asks may not see the schema. `whom` is as in the setting INTROSPECTION."""

    def refused(context: GraphContext) -> GraphQLError | None:
        if whom == "everybody" or (whom == "signed-in" and context.signed_in is not None):
            return None
        code = Code.FORBIDDEN if whom == "nobody" else Code.UNAUTHENTICATED
        return GraphQLError(messages.sentence(context.locale, Problem(code)), extensions={"code": code.value})

    return refused
