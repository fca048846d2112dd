"""Secrets in mounted files: each is read as if it stood in the environment, and every mistake says what to do."""

from pathlib import Path

import pytest

from bot.settings import ConfigurationError, read_settings, secret

DSN = "postgresql://bot:s3cret@db.example/app"


def mounted(folder: Path, text: str | bytes) -> Path:
    file = folder / "mounted"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_every_secret_of_the_process_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside plain variables, in the same group, without the line's end that editors write."""
    for name, text in {
        "DATABASE_URL": f"{DSN}\n",
        "SLACK__BOT_TOKEN": " xoxb-1\r\n",
        "SLACK__APP_TOKEN": "xapp-1",
        "SLACK__SIGNING_SECRET": "word\n",
    }.items():
        (tmp_path / name).write_text(text)
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    monkeypatch.setenv("SLACK__PORT", "3100")
    settings = read_settings()
    slack = settings.slack_or_refuse()
    assert DSN == settings.database_url.get_secret_value()
    assert slack.app_token is not None and slack.signing_secret is not None
    assert ("xoxb-1", "xapp-1", "word", 3100) == (
        slack.bot_token.get_secret_value(),
        slack.app_token.get_secret_value(),
        slack.signing_secret.get_secret_value(),
        slack.port,
    )
    assert "s3cret" not in repr(settings)


def test_a_variable_and_a_file_stand_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One secret in the environment, another one mounted."""
    monkeypatch.setenv("DATABASE_URL_FILE", str(mounted(tmp_path, DSN)))
    monkeypatch.setenv("SLACK__BOT_TOKEN", "xoxb-plain")
    settings = read_settings()
    assert (DSN, "xoxb-plain") == (
        settings.database_url.get_secret_value(),
        settings.slack.bot_token.get_secret_value() if settings.slack else "",
    )


def test_what_an_entry_names_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ``…_env`` of the targets file."""
    monkeypatch.setenv("MAIL_PASSWORD_FILE", str(mounted(tmp_path, "hunter22\n")))
    assert "hunter22" == secret("MAIL_PASSWORD", "targets.casework.mail.password_env")


def test_both_together_win_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which one is right is not guessed."""
    monkeypatch.setenv("DATABASE_URL", DSN)
    monkeypatch.setenv("DATABASE_URL_FILE", str(mounted(tmp_path, DSN)))
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL and DATABASE_URL_FILE are both set, so neither"):
        read_settings()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is not there. Mount the secret, or mend the path."),
        (" \n", "is empty. Write the secret into it, and nothing else."),
        (b"\xff\xfes3cret", "is no UTF-8 text. Write the secret into it, and nothing else."),
    ],
)
def test_a_file_that_holds_no_secret_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | bytes | None, says: str
) -> None:
    """With its variable and what to do; what is in it is not shown."""
    file = tmp_path / "mounted" if content is None else mounted(tmp_path, content)
    monkeypatch.setenv("DATABASE_URL_FILE", str(file))
    with pytest.raises(ConfigurationError) as error:
        read_settings()
    assert f"DATABASE_URL_FILE names {file}, which {says}" == str(error.value)


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder instead of a file, as a forgotten mount leaves it."""
    monkeypatch.setenv("KEY_FILE", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"cannot be read \(Is a directory\)\. Name a file that"):
        secret("KEY", "targets.casework.dsn_env")


def test_neither_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry, and both ways to set it."""
    with pytest.raises(ConfigurationError, match=r"KEY, which is not set\. Set it, or KEY_FILE\."):
        secret("KEY", "targets.casework.dsn_env")
