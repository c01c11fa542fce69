"""Every setting of the server, from the environment and from DATA_DIR/secrets.env; the environment wins.

With no DATABASE_URL the server brings its own database and, on its first start, makes its own secrets:
both are in DATA_DIR and belong together. With a DATABASE_URL the secrets have to be given.
"""

import base64
import binascii
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, Secret, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from typing_extensions import override

from models.limits import DEFAULTS, Limits, read_limits

KEY_BYTES: Final = 32
# Of DATABASE_URL. Others are libpq's alone, or cannot be given as text; sslmode is ssl to asyncpg.
PARAMETERS: Final = frozenset({"host", "port", "prepared_statement_cache_size", "ssl"})
SECRETS: Final = ("ID_NUMBER_KEYS", "BLIND_INDEX_KEY", "LINK_KEY")


class SettingsError(Exception):
    """The settings cannot be used; says which and why in plain sentences, and never a value."""


def _key(text: str) -> bytes:
    with suppress(binascii.Error, ValueError):
        key = base64.b64decode(text, validate=True)
        if len(key) == KEY_BYTES:
            return key
    raise ValueError(f"should have keys of {KEY_BYTES} bytes in base64")


def _keys(text: str) -> tuple[bytes, ...]:
    return tuple(_key(one.strip()) for one in text.split(","))


def _keyring(text: str) -> dict[str, bytes]:
    parts = [one.strip().partition(":") for one in text.split(",")]
    names = {name for name, _, _ in parts if re.fullmatch(r"[A-Za-z0-9_-]{1,16}", name)}
    if len(names) < len(parts):
        raise ValueError("should be id:key pairs with commas between; ids have 1 to 16 letters or digits, each its own")
    return {name: _key(key) for name, _, key in parts}


def _database_url(text: str) -> str:
    """The URL as SQLAlchemy wants it: its driver named, and libpq's sslmode under asyncpg's name."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in {"postgres", "postgresql", "postgresql+asyncpg"} or not url.database:
        raise ValueError("should look like postgresql://user:password@host:5432/database")
    query = {"ssl" if name == "sslmode" else name: value for name, value in url.query.items()}
    if query.keys() - PARAMETERS:
        raise ValueError(f"should have no parameters but {', '.join(sorted(PARAMETERS))}")
    return url.set(drivername="postgresql+asyncpg", query=query).render_as_string(hide_password=False)


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("should look like https://unions.example.org")
    if parts.path not in {"", "/"}:
        raise ValueError("should have no path: codes lead to /i/ at the top of this server")
    return text.rstrip("/")


def _networks(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        return tuple(str(ip_network(part)) for part in parts)
    except ValueError:
        raise ValueError("should be addresses or networks with commas between, such as 127.0.0.1,10.0.0.0/8") from None


def _hosts(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    if not all(re.fullmatch(r"\[[0-9a-f:.]+\]|[a-z0-9._-]+", name) for name in names):
        raise ValueError("should be names with commas between and without ports, such as unions.example.org,10.0.0.8")
    return names


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(origin.strip().lower() for origin in text.split(",") if origin.strip())
    if not all(re.fullmatch(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?", origin) for origin in origins):
        raise ValueError("should be origins with commas between, such as https://dashboard.example.org")
    return origins


def _own_address(known: dict[str, Any]) -> str:
    """Where a browser on this machine finds the server."""
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(known["host"], known["host"])  # noqa: S104 - reads, binds none
    return f"http://[{host}]:{known['port']}" if ":" in host else f"http://{host}:{known['port']}"


Key = Secret[Annotated[bytes, BeforeValidator(_key)]]
Keys = Secret[Annotated[tuple[bytes, ...], BeforeValidator(_keys)]]
Keyring = Secret[Annotated[dict[str, bytes], BeforeValidator(_keyring)]]


class Settings(BaseSettings):
    """The settings; each is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", enable_decoding=False, env_ignore_empty=True, hide_input_in_errors=True
    )

    # Where the server listens; 0.0.0.0 is every network of the machine.
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    # The address that people use, as it stands in QR codes and links; https makes cookies Secure.
    public_url: Annotated[str, BeforeValidator(_web_address)] = Field(default_factory=_own_address)
    # Other names that the server is asked by; those of PUBLIC_URL and of the machine itself are known.
    allowed_hosts: Annotated[tuple[str, ...], BeforeValidator(_hosts)] = Field(default=(), validate_default=False)
    # Other sites whose pages may ask, with a Bearer token; none may by default.
    allowed_origins: Annotated[tuple[str, ...], BeforeValidator(_origins)] = Field(default=(), validate_default=False)
    # Who may ask for the schema: those who are signed in, everybody or nobody.
    introspection: Literal["signed-in", "everybody", "nobody"] = "signed-in"
    # A manifest of documents that may be asked for by their hash; and whether no others are taken.
    trusted_documents: Path | None = None
    trusted_documents_only: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    # Certificates, secrets and the embedded database.
    data_dir: Path = Path("data")
    # postgresql://…; none means the embedded database.
    database_url: Annotated[str, BeforeValidator(_database_url)] | None = Field(default=None, repr=False)
    # The role that owns the schema, for what changes it; none means that the server's role owns it.
    migration_database_url: Annotated[str, BeforeValidator(_database_url)] | None = Field(default=None, repr=False)
    pool_size: int = Field(default=10, ge=1, le=100)
    # Seconds: to wait for a connection, for a statement (half of it for a lock), for all that a request asks for.
    pool_timeout: float = Field(default=3, gt=0, le=600)
    statement_timeout: float = Field(default=5, gt=0, le=3600)
    operation_timeout: float = Field(default=15, gt=0, le=3600)
    # Processes of `serve`.
    workers: int = Field(default=1, ge=1, le=64)
    # How long new requests are still taken after SIGTERM, while /readyz says otherwise.
    drain_seconds: float = Field(default=1, ge=0, le=60)

    # How often this server chains the events that were written since; 0: it never does, and another one has to.
    chain_seconds: float = Field(default=1, ge=0, le=3600)

    # A sign-in ends after so many days, or after so many hours in which nobody has used it.
    session_days: int = Field(default=30, ge=1, le=365)
    session_idle_hours: int = Field(default=168, ge=1, le=8760)
    # Whether an appointment as administrator counts only for who has signed in with a second factor.
    administrators_need_second_factor: bool = False
    # How often something may be done, where it differs from models/limits.py: `card=6000/60,search=600/60`.
    rate_limits: Annotated[Limits, BeforeValidator(read_limits)] = Field(default=DEFAULTS, validate_default=False)
    # Reverse proxies whose X-Forwarded-For is believed: addresses and networks with commas between.
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(_networks)] = Field(default=(), validate_default=False)
    # How long a signed link to a certificate works.
    link_seconds: int = Field(default=300, ge=1, le=86400)
    max_certificate_bytes: int = Field(default=10 * 1024 * 1024, ge=1024)
    max_certificate_pixels: int = Field(default=40_000_000, ge=1)
    # Photos are refused before the disk has less than this.
    min_free_bytes: int = Field(default=512 * 1024**2, ge=0)
    # Photos that no form shows are kept for so long.
    unused_hours: int = Field(default=48, ge=0)
    # What was rejected or withdrawn is erased after so long; 0 keeps it for ever.
    retention_days: int = Field(default=365, ge=0)
    # How often a server looks for what is to be swept and erased; 0 leaves it to the commands.
    housekeeping_hours: float = Field(default=6, ge=0)

    # The mini-program that 工会登记二维码 open; without its ids they are ordinary links.
    wechat_app_id: str | None = None
    wechat_original_id: str | None = None
    wechat_page: str = "pages/register/index"

    # AES-256 keys of resident ID numbers, `id:key,id:key`: the first encrypts, every one decrypts.
    id_number_keys: Keyring
    # HMAC key that finds an ID number without decrypting any; `key,key`: the first indexes, every one is known.
    blind_index_key: Keys
    # Signs links to certificates; another key ends those that are out.
    link_key: Key

    @property
    def owner_url(self) -> str:
        """The address for what the server's own role may not do; only with a database_url."""
        assert self.database_url is not None, "the embedded database's address is filled in by console.py"
        return self.migration_database_url or self.database_url

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """load_settings() hands the environment over; nothing else looks at it."""
        return init_settings, dotenv_settings


def load_settings(environ: Mapping[str, str], *, fresh: bool = True) -> Settings:
    """The settings that `environ` asks for. Makes DATA_DIR and its secrets.env on an embedded database's first start.

    Not `fresh`: for what was written with other secrets.

    Raises:
        SettingsError: something is missing or malformed.
    """
    given = {name: value for name in Settings.model_fields if (value := environ.get(name.upper()))}
    given["data_dir"] = str(Path(given.get("data_dir", "data")).resolve())
    file = Path(given["data_dir"]) / "secrets.env"
    try:
        if "database_url" not in given and not all(name.lower() in given for name in SECRETS):
            if not fresh and not file.exists():
                raise SettingsError(f"{file} is missing: put back the secrets that were kept apart, first.")
            _ensure_secrets(file)
        return Settings(_env_file=file, **given)  # type: ignore[call-arg,arg-type] # pydantic reads texts
    except ValidationError as error:
        raise SettingsError(_in_plain_words(error)) from None
    except OSError as error:
        raise SettingsError(f"DATA_DIR cannot be used: {error.strerror}: {error.filename}.") from error


def generate_secrets() -> dict[str, str]:
    """Fresh values for the settings that are secret, by the names of their variables."""
    id_number_key, blind_index_key, link_key = (
        base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() for _ in SECRETS
    )
    values = (f"{secrets.token_hex(4)}:{id_number_key}", blind_index_key, link_key)
    return dict(zip(SECRETS, values, strict=True))


def _ensure_secrets(file: Path) -> None:
    """Makes the file of secrets if it is missing; never beside a database that was written with others.

    Raises:
        SettingsError: the database is there and the secrets are not.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if file.exists():
        return
    if (file.parent / "postgres").exists():
        raise SettingsError(
            f"{file} is missing, and the database beside it was written with its keys. Put the file back from a "
            f"backup, or set {', '.join(SECRETS)}."
        )
    lines = ["# Keys of this folder's database. Without them its ID numbers cannot be read: keep a copy elsewhere."]
    lines += [f"{name}={value}" for name, value in generate_secrets().items()]
    draft = file.with_name(f"secrets.{os.getpid()}.env")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write("\n".join([*lines, ""]))
        out.flush()
        os.fsync(out.fileno())
    with suppress(FileExistsError):  # another process was first: theirs counts
        os.link(draft, file)
    draft.unlink()


def _in_plain_words(error: ValidationError) -> str:
    """What is wrong, a line for each setting, without the values."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    missing = [str(one["loc"][0]).upper() for one in found if one["type"] == "missing"]
    lines = [
        f"{str(one['loc'][0]).upper()} {one['msg'].removeprefix('Value error, ').removeprefix('Input ')}."
        for one in found
        if one["type"] not in {"missing", "default_factory_not_called"}
    ]
    if missing:
        lines.append(f"Missing, and there is no default: {', '.join(missing)}.")
    if any(name in line for name in SECRETS for line in lines):
        lines.append("`python server.py keys` prints fresh ones.")
    return "\n".join(lines)
