"""Every argument of every field, and every field of every input, is given what nobody means well by.

The arguments are found in the schema, so a new one is tried as soon as it is there. Each answer is coded, none is a
fault, and the database stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
)

from models.permissions import Role
from schema.build import build_schema
from schema.ids import encode_id
from tests.hostile import BY_TYPE, OF_ENUMS, SHAPES
from tests.world import EMPLOYER, Client, World, gid

SCHEMA: Final = build_schema()._schema
FAULTS: Final = {"INTERNAL", "UNAVAILABLE"}


@dataclass(frozen=True)
class Place:
    """An argument of a query: how its field is reached, and of which type it is."""

    way: tuple[tuple[str, GraphQLField], ...]
    name: str
    argument: GraphQLArgument

    def __str__(self) -> str:
        return ".".join([*(name for name, _ in self.way), self.name])


def places() -> Iterator[Place]:
    """Each field that has arguments once, by the shortest way from the root."""
    assert SCHEMA.query_type is not None
    seen: set[tuple[str, str]] = set()
    ways: list[tuple[Any, tuple[tuple[str, GraphQLField], ...]]] = [(SCHEMA.query_type, ())]
    while ways:
        type_, way = ways.pop(0)
        for name, field in type_.fields.items():
            if (type_.name, name) in seen:
                continue
            seen.add((type_.name, name))
            further = (*way, (name, field))
            for argument, given in field.args.items():
                yield Place(further, argument, given)
            inner = get_named_type(field.type)
            if isinstance(inner, GraphQLObjectType | GraphQLInterfaceType):
                ways.append((inner, further))


PLACES: Final = {str(place): place for place in places()}


def hostile(type_: Any) -> dict[str, str]:
    """What is sent where this type is wanted, by what it is."""
    named = get_named_type(type_)
    if isinstance(named, GraphQLEnumType):
        values: Mapping[str, str] = OF_ENUMS
    elif isinstance(named, GraphQLInputObjectType):
        values = {"text": '"x"', "unknown field": '{"nothing": 1}'}
    else:
        values = BY_TYPE.get(named.name, {"text": '"x"'})
    inner = type_.of_type if is_non_null_type(type_) else type_
    if is_list_type(inner):
        values = {f"a list with {name}": f"[{value}]" for name, value in values.items()}
        values = {**values, "a long list": "[" + ",".join(['"VW5pb246MQ"'] * 5000) + "]"}
    return {**values, **SHAPES}


class Registry:
    """A registry with something of each kind, and somebody who sees all of it."""

    def __init__(self, world: World, mayor: Client, sound: dict[str, Any]) -> None:
        self.world, self.mayor, self.sound = world, mayor, sound

    async def send(self, http: httpx.AsyncClient, query: str, variables: str) -> dict[str, Any]:
        """The answer to what may be no JSON; it is one, whatever was sent."""
        body = f'{{"query": {orjson.dumps(query).decode()}, "variables": {variables}}}'
        content = body.encode("utf-8", "surrogatepass")
        answer = await http.post("/graphql", content=content, headers={"content-type": "application/json"})
        assert answer.status_code < 500, answer.text[:500]
        told: dict[str, Any] = orjson.loads(answer.content)
        codes = {error["extensions"]["code"] for error in told.get("errors", ())}
        assert not codes & FAULTS, told
        assert len(answer.content) < 100_000, "it says again what was sent"
        return told


@pytest.fixture(scope="module")
async def registry(lasting_world: World) -> Registry:
    world = lasting_world
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    mayor, applicant = await world.administrator(province), await world.person()
    held = await world.appoint(applicant, city, Role.ANALYST)
    invite = await world.invite(city)
    pending = await applicant.registered(city, employer=EMPLOYER)
    own = await mayor.registered(province)
    await (await world.administrator(province, "李静")).review(own, "REJECT", opinion="重拍")
    sound = {
        "unionId": gid(city),
        "id": gid(city),
        "ids": [gid(city)],
        "under": gid(province),
        "path": str(city.path),
        "registrationId": pending,
        "own": own,
        "appointmentId": gid(held),
        "inviteId": gid(invite),
        "certificateId": await mayor.certificate(),
        "code": invite.token,
        "search": "工会",
    }
    return Registry(world, mayor, sound)


@pytest.mark.usefixtures("path")
async def test_a_querys_argument(registry: Registry) -> None:
    before = await registry.world.fingerprint()
    async with registry.mayor.http() as http:
        for place in PLACES.values():
            query = asked(place, registry.sound)
            for name, value in hostile(place.argument.type).items():
                try:
                    await registry.send(http, query, f'{{"v": {value}}}')
                except AssertionError as error:
                    raise AssertionError(f"{place} given {name}: {error}") from error
    assert await registry.world.fingerprint() == before


def asked(place: Place, sound: Mapping[str, Any]) -> str:
    """A query that gives `$v` at the place, and what is sound wherever else something must be given."""
    text = "__typename"
    for at, (name, field) in reversed(list(enumerate(place.way))):
        last = at == len(place.way) - 1
        given = {
            argument: orjson.dumps(sound[argument]).decode()
            for argument, wanted in field.args.items()
            if is_required_argument(wanted)
        }
        if last:
            given[place.name] = "$v"
        arguments = ", ".join(f"{argument}: {value}" for argument, value in given.items())
        head = f"{name}({arguments})" if arguments else name
        text = head if last and is_leaf_type(get_named_type(field.type)) else f"{head} {{ {text} }}"
    return f"query($v: {place.argument.type}) {{ {text} }}"


# ── mutations ────────────────────────────────────────────────────────────────────────────────


def inputs(type_: GraphQLInputObjectType, *way: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The fields of an input, and those of inputs within it."""
    for name, field in type_.fields.items():
        yield (*way, name), field.type
        inner = get_named_type(field.type)
        if isinstance(inner, GraphQLInputObjectType):
            yield from inputs(inner, *way, name)


def forms(registry: Registry) -> dict[str, dict[str, Any]]:
    """A sound input of each mutation. What is refused for another reason as well would prove nothing."""
    sound, world = registry.sound, registry.world
    register = world.form({"unionId": sound["unionId"]}, sound["certificateId"], entryRoute="WECHAT_SCAN")
    return {
        "signIn": {"phone": "13800138000", "password": "correct horse"},
        "changePassword": {"currentPassword": "correct horse", "newPassword": "battery staple"},
        "endSession": {"sessionId": encode_id("Session", 10**9)},
        "endSessions": {"thisToo": False},
        "beginSecondFactor": {"password": "correct horse"},
        "confirmSecondFactor": {"code": "123456"},
        "removeSecondFactor": {"password": "correct horse", "code": "123456"},
        "appoint": {"unionId": sound["unionId"], "phone": "13800138000", "role": "ANALYST"},
        "endAppointment": {"appointmentId": sound["appointmentId"]},
        "createInvite": {"unionId": sound["unionId"]},
        "revokeInvite": {"inviteId": sound["inviteId"]},
        "registerGrassrootsUnion": {**register, "employer": EMPLOYER},
        "registerHigherLevelUnion": register,
        "resubmitRegistration": {"registrationId": sound["own"]},
        "withdrawRegistration": {"registrationId": sound["own"]},
        "reviewRegistration": {
            "registrationId": sound["registrationId"],
            "round": 1,
            "decision": "REJECT",
            "opinion": "证件不清晰",
            "fieldOpinions": [{"field": "name", "opinion": "不全"}],
        },
        "revealIdNumber": {"registrationId": sound["registrationId"], "reason": "核对证件"},
    }


def no_password(*_: object) -> bool:
    """What comparing says of each of them, without the 150 ms that it takes."""
    raise VerifyMismatchError


async def test_a_mutations_input(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PasswordHasher, "verify", no_password)
    assert SCHEMA.mutation_type is not None
    before = await registry.world.fingerprint()
    sound = forms(registry)
    taken = []
    async with registry.mayor.http() as http:
        for mutation, field in SCHEMA.mutation_type.fields.items():
            if "input" not in field.args:
                continue  # an upload is tried in test_images.py, signing out needs nothing
            type_ = field.args["input"].type
            query = f"mutation($v: {type_}) {{ {mutation}(input: $v) {{ errors {{ code path message }} }} }}"
            named = get_named_type(type_)
            assert isinstance(named, GraphQLInputObjectType)
            for way, of in inputs(named):
                for name, value in hostile(of).items():
                    told = await registry.send(http, query, f'{{"v": {spelled(sound[mutation], way, value)}}}')
                    if not told.get("errors") and not told["data"][mutation]["errors"]:
                        taken.append(f"{mutation} {'.'.join(way)}: {name}")
    assert taken == []
    assert await registry.world.fingerprint() == before


def spelled(form: Mapping[str, Any], way: tuple[str, ...], value: str) -> str:
    """The form as JSON, with this text where the way leads."""
    mark = "\N{WHITE MEDIUM STAR}"
    changed: Any = orjson.loads(orjson.dumps(form))
    holder = changed
    for step in way[:-1]:
        if step not in holder:
            holder[step] = orjson.loads(orjson.dumps(EMPLOYER)) if step == "employer" else {}
        holder = holder[step][0] if isinstance(holder[step], list) else holder[step]
    if way[-2:-1] == ("parent",):
        holder.clear()  # exactly one of its fields is given
    holder[way[-1]] = mark
    return orjson.dumps(changed).decode().replace(f'"{mark}"', value)
