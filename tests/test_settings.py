"""Settings: what an operator gives, what is made for them, and sentences for what is missing."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from models.limits import DEFAULTS, Limit, Limited
from storage.settings import KEY_BYTES, SECRETS, Settings, SettingsError, generate_secrets, load_settings

URL = "postgresql://uniontree:hunter2@db.example.org/unions"
KEY = base64.b64encode(bytes(range(KEY_BYTES))).decode()
GIVEN = {"ID_NUMBER_KEYS": f"a1:{KEY}", "BLIND_INDEX_KEY": KEY, "LINK_KEY": KEY}


def refusal(environ: dict[str, str]) -> str:
    """The sentences with which these settings are refused."""
    with pytest.raises(SettingsError) as refused:
        load_settings(environ)
    return str(refused.value)


@pytest.fixture
def with_url(tmp_path: Path) -> dict[str, str]:
    return {**GIVEN, "DATABASE_URL": URL, "DATA_DIR": str(tmp_path)}


# ── secrets ──────────────────────────────────────────────────────────────────────────────────


def test_the_first_start_makes_secrets_and_the_next_ones_keep_them(tmp_path: Path) -> None:
    environ = {"DATA_DIR": str(tmp_path / "new" / "data")}
    first = load_settings(environ)
    file = tmp_path / "new" / "data" / "secrets.env"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["secrets.env"]  # and no draft of it
    kept = file.read_text()
    second = load_settings(environ)
    assert file.read_text() == kept
    assert second.id_number_keys == first.id_number_keys
    assert second.blind_index_key == first.blind_index_key
    assert second.link_key == first.link_key


def test_two_folders_have_nothing_in_common(tmp_path: Path) -> None:
    one, other = (load_settings({"DATA_DIR": str(tmp_path / name)}) for name in ("one", "other"))
    assert one.blind_index_key != other.blind_index_key
    assert one.link_key not in {other.link_key, one.blind_index_key}


def test_with_a_database_of_ones_own_secrets_are_given_not_made(tmp_path: Path) -> None:
    said = refusal({"DATABASE_URL": URL, "DATA_DIR": str(tmp_path)})
    assert said.splitlines() == [
        "Missing, and there is no default: ID_NUMBER_KEYS, BLIND_INDEX_KEY, LINK_KEY.",
        "`python server.py keys` prints fresh ones.",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", SECRETS)
def test_each_secret_is_missed_by_name_and_no_other_is_shown(with_url: dict[str, str], name: str) -> None:
    said = refusal({other: value for other, value in with_url.items() if other != name})
    assert f"no default: {name}." in said
    assert KEY not in said
    assert "hunter2" not in said


@pytest.mark.parametrize("value", ["secret-words", "c2hvcnQ=", KEY + "AA", "密钥"])
@pytest.mark.parametrize("name", ["BLIND_INDEX_KEY", "LINK_KEY", "ID_NUMBER_KEYS"])
def test_a_malformed_secret_is_named_but_not_shown(with_url: dict[str, str], name: str, value: str) -> None:
    given = f"a1:{value}" if name == "ID_NUMBER_KEYS" else value
    said = refusal({**with_url, name: given})
    assert said.startswith(f"{name} should have keys of 32 bytes in base64.")
    assert value not in said


@pytest.mark.parametrize("value", [KEY, f"a1:{KEY},a1:{KEY}", f":{KEY}", f"{'a' * 17}:{KEY}", f"a1:{KEY},"])
def test_a_keyring_is_pairs_of_names_and_keys(with_url: dict[str, str], value: str) -> None:
    said = refusal({**with_url, "ID_NUMBER_KEYS": value})
    assert "id:key pairs" in said
    assert KEY not in said


def test_the_first_key_of_a_ring_is_the_one_that_seals(with_url: dict[str, str]) -> None:
    other = base64.b64encode(bytes(KEY_BYTES)).decode()
    settings = load_settings({**with_url, "ID_NUMBER_KEYS": f"b2:{other}, a1:{KEY}"})
    assert list(settings.id_number_keys.get_secret_value()) == ["b2", "a1"]


def test_secrets_are_not_made_beside_a_database_that_was_written_with_others(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    said = refusal({"DATA_DIR": str(tmp_path)})
    assert "secrets.env is missing" in said
    assert "backup" in said
    assert not (tmp_path / "secrets.env").exists()

    assert load_settings({**GIVEN, "DATA_DIR": str(tmp_path)}).database_url is None


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    load_settings({"DATA_DIR": str(tmp_path)})
    settings = load_settings({"DATA_DIR": str(tmp_path), "LINK_KEY": KEY})
    assert settings.link_key.get_secret_value() == base64.b64decode(KEY)


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refusal({"DATA_DIR": str(tmp_path / "file" / "data")})
    assert said.startswith("DATA_DIR cannot be used: ")


def test_settings_do_not_show_their_secrets(with_url: dict[str, str]) -> None:
    settings = load_settings(with_url)
    for shown in (repr(settings), str(settings)):
        assert KEY not in shown
        assert repr(base64.b64decode(KEY)) not in shown
        assert "hunter2" not in shown


def test_generated_secrets_are_what_is_asked_for(with_url: dict[str, str]) -> None:
    first, second = generate_secrets(), generate_secrets()
    assert tuple(first) == SECRETS
    assert all(first[name] != second[name] for name in SECRETS)
    load_settings({**with_url, **first})


# ── the database's address ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p@h:6432/d", "postgresql+asyncpg://u:p@h:6432/d"),
        ("postgresql+asyncpg://u@h/d", "postgresql+asyncpg://u@h/d"),
        ("postgresql://u:p%40ss@h/d", "postgresql+asyncpg://u:p%40ss@h/d"),
        ("postgres://u:p@h/d?sslmode=require", "postgresql+asyncpg://u:p@h/d?ssl=require"),
        ("postgresql:///d?host=/run/pg", "postgresql+asyncpg:///d?host=%2Frun%2Fpg"),
    ],
)
def test_the_usual_spellings_of_an_address_are_taken(with_url: dict[str, str], given: str, used: str) -> None:
    assert load_settings({**with_url, "DATABASE_URL": given}).database_url == used


@pytest.mark.parametrize(
    "given",
    [
        "hunter2",
        "mysql://u:hunter2@h/d",
        "sqlite:///hunter2",
        "postgresql://u:hunter2@h",
        "postgresql://u:hunter2@h:x/d",
    ],
)
def test_another_address_is_refused_without_being_shown(with_url: dict[str, str], given: str) -> None:
    said = refusal({**with_url, "DATABASE_URL": given})
    assert said == "DATABASE_URL should look like postgresql://user:password@host:5432/database."


@pytest.mark.parametrize("name", ["application_name", "connect_timeout", "options", "sslrootcert"])
def test_a_parameter_that_only_libpq_knows_is_refused(with_url: dict[str, str], name: str) -> None:
    said = refusal({**with_url, "DATABASE_URL": f"{URL}?sslmode=require&{name}=hunter3"})
    assert said.startswith("DATABASE_URL should have no parameters but host, ")
    assert "hunter" not in said


# ── limits and proxies ───────────────────────────────────────────────────────────────────────


def test_limits_and_proxies_are_told_in_one_line_each(with_url: dict[str, str]) -> None:
    plain = load_settings(with_url)
    assert (plain.rate_limits, plain.trusted_proxies) == (DEFAULTS, ())
    stated = {"RATE_LIMITS": "card=5/60", "TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,::1"}
    settings = load_settings({**with_url, **stated})
    assert settings.rate_limits == {**DEFAULTS, Limited.CARD: Limit(5, 60)}
    assert settings.trusted_proxies == ("127.0.0.1/32", "10.0.0.0/8", "::1/128")


@pytest.mark.parametrize(
    ("name", "value"),
    [("RATE_LIMITS", "cards=5/60"), ("TRUSTED_PROXIES", "*"), ("TRUSTED_PROXIES", "proxy.example.org")],
)
def test_what_is_no_limit_and_no_address_is_refused(with_url: dict[str, str], name: str, value: str) -> None:
    said = refusal({**with_url, name: value})
    assert said.startswith(f"{name} should ") and value not in said


# ── the rest ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"PORT": "9000", "HOST": "0.0.0.0"}, "http://localhost:9000"),  # noqa: S104 - read, not bound
        ({"HOST": "::1"}, "http://[::1]:8000"),
        ({"PUBLIC_URL": "https://unions.example.org/"}, "https://unions.example.org"),
    ],
)
def test_links_lead_to_where_people_find_the_server(
    with_url: dict[str, str], environ: dict[str, str], address: str
) -> None:
    assert load_settings({**with_url, **environ}).public_url == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "eighty"),
        ("PUBLIC_URL", "ftp://example.org"),
        ("PUBLIC_URL", "example.org"),
        ("PUBLIC_URL", "https://example.org/?a=b"),
        ("PUBLIC_URL", "https://example.org/unions"),
        ("LOG_LEVEL", "loud"),
        ("POOL_SIZE", "0"),
        ("STATEMENT_TIMEOUT", "-1"),
        ("STATEMENT_TIMEOUT", "inf"),
        ("SESSION_DAYS", "0"),
        ("LINK_SECONDS", "0"),
        ("ALLOWED_HOSTS", "https://unions.example.org"),
        ("ALLOWED_HOSTS", "unions.example.org:8000"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_ORIGINS", "dashboard.example.org"),
        ("ALLOWED_ORIGINS", "https://dashboard.example.org/"),
        ("ALLOWED_ORIGINS", "*"),
        ("INTROSPECTION", "true"),
        ("TRUSTED_DOCUMENTS_ONLY", "perhaps"),
    ],
)
def test_a_setting_out_of_range_is_named(with_url: dict[str, str], name: str, value: str) -> None:
    said = refusal({**with_url, name: value})
    assert said.startswith(f"{name} should")
    assert said.count("\n") == 0
    assert "Traceback" not in said


def test_names_and_origins_stand_with_commas_between(with_url: dict[str, str]) -> None:
    given = {"ALLOWED_HOSTS": "A.example.org, 10.0.0.8,[fd00::8],", "ALLOWED_ORIGINS": "https://B.example.org:8443"}
    settings = load_settings({**with_url, **given})
    assert settings.allowed_hosts == ("a.example.org", "10.0.0.8", "[fd00::8]")
    assert settings.allowed_origins == ("https://b.example.org:8443",)
    assert load_settings(with_url).allowed_hosts == load_settings(with_url).allowed_origins == ()


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    said = refusal({"DATABASE_URL": "hunter2", "PORT": "x", "LINK_KEY": "y", "DATA_DIR": str(tmp_path)})
    for name in ("DATABASE_URL", "PORT", "LINK_KEY", "ID_NUMBER_KEYS", "BLIND_INDEX_KEY"):
        assert name in said


def test_an_empty_variable_is_an_absent_one(with_url: dict[str, str]) -> None:
    settings = load_settings({**with_url, "PORT": "", "PUBLIC_URL": "", "WECHAT_APP_ID": ""})
    assert (settings.port, settings.wechat_app_id) == (8000, None)


def test_nothing_else_of_the_environment_is_looked_at(
    with_url: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "1234")
    monkeypatch.setenv("LINK_SECONDS", "77")
    settings = load_settings(with_url)
    assert (settings.port, settings.link_seconds) == (8000, 300)


def test_every_setting_can_be_read_but_not_changed(with_url: dict[str, str]) -> None:
    settings = load_settings(with_url)
    assert set(SECRETS) <= {name.upper() for name in Settings.model_fields}
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1
