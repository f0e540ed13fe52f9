"""What is asked for wrongly is refused at once, by name, and leaves nothing behind."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from test_backfill import COLLECT, FEBRUARY, JANUARY, shop_in
from workbook.cli import app, main
from workbook.data.errors import WorkbookError


@pytest.fixture
def shop(book: Callable[..., None], tmp_path: Path) -> Path:
    """A shop whose newest order is of 3 February."""
    book("01_collection", COLLECT, makes=["raw/*"])
    book("02_rows", "run.find('rows', run.table('raw/orders').count().to_pyarrow().as_py(), unit='rows')",
         needs=["raw/*"])
    return shop_in(tmp_path / "shop", one=JANUARY, two=FEBRUARY[:1])


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def refused(*arguments: str) -> str:
    ran = asked(*arguments)
    assert isinstance(ran.exception, WorkbookError), ran.output
    return str(ran.exception)


@pytest.mark.parametrize(("period", "told"), [
    ("2030-01", "2030-01 lies after the newest order on record"), ("1990-01", "1990-01 lies before the first order")])
def test_a_period_without_a_possible_order_is_refused_and_leaves_no_report(shop: Path, period: str, told: str) -> None:
    said = refused("render", "--as-of", period, "--settings", str(shop))
    assert told in said and "between 2026-01-05 and 2026-02-03" in said and "--as-of 2026-01" in said
    assert not list((shop.parent / "reports").glob(f"{period}*"))
    assert asked("render", "--as-of", "2026-01", "--settings", str(shop)).exit_code == 0
    assert told in refused("render", "--as-of", period, "--only", "02", "--settings", str(shop)), "nothing is collected"


def test_a_month_that_is_not_over_is_told_with_the_day_that_marks_it(shop: Path) -> None:
    whole = asked("render", "--as-of", "2026-02", "--settings", str(shop))
    assert "2026-02 is not over by the newest order on record" in whole.output and "--as-of 2026-02-03" in whole.output
    over = asked("render", "--as-of", "2026-01", "--settings", str(shop))
    assert over.exit_code == 0 and "is not over" not in over.output


def test_parts_are_not_forgotten_beside_a_stretch_and_no_shop_is_divided_by_a_nose(shop: Path) -> None:
    assert "--by makes the reports of one period" in refused(
        "render", "--from", "2026-01", "--by", "region", "--settings", str(shop))
    assert "did you mean 'region'?" in refused("render", "--by", "regoin", "--settings", str(shop))
    assert "names no region" in refused("render", "--by", "region=", "--settings", str(shop))
    assert not (shop.parent / "reports").exists(), "before anything is rendered"


def test_a_stretch_that_ends_before_it_begins_is_refused_before_anything_is_read(shop: Path) -> None:
    assert "2026-01 lies before 2026-02" in refused(
        "render", "--from", "2026-02", "--to", "2026-01", "--settings", str(shop))
    assert not (shop.parent / ".workbook" / "tables").exists()
    assert "2026-01, lies before 2030-01" in refused("render", "--from", "2030-01", "--settings", str(shop))


def test_a_page_of_a_period_that_was_not_rendered_is_refused_before_a_server_is_up(tmp_path: Path) -> None:
    settings = shop_in(tmp_path / "shop", one=JANUARY)
    for period, told in (("juni", "is no period"), ("2026-01-31", "No period has been rendered yet")):
        assert told in refused("serve", "--as-of", period, "--no-browser", "--settings", str(settings))


def test_no_settings_file_and_no_language_are_called_that(tmp_path: Path) -> None:
    records = tmp_path / "orders.csv"
    records.write_bytes("Süd;1\n".encode("cp1252"))
    assert "is no text in UTF-8" in refused("status", "--settings", str(records))
    assert "'fr' is no language" in refused("lab", "--lang", "fr"), "and no English notebook is called French"
    records.write_text("name: x\ncurency: EUR\nsources: []\n")
    assert "has 1 wrong entry:" in refused("status", "--settings", str(records))


def test_new_calls_a_wrong_option_by_its_name_and_writes_nothing(tmp_path: Path) -> None:
    records = tmp_path / "orders.csv"
    records.write_text("order,customer,date,amount\n1,ann,2026-01-20,5\n2,bob,2026-01-21,6\n")
    shop = tmp_path / "shop"
    for option, value, told in (("--currency", "EURO", "currency: 'EURO' is no ISO 4217 code"),
                                ("--time-zone", "Berlin", "did you mean 'Europe/Berlin'?"),
                                ("--phone-country", "Germany", "no country that phone numbers are known for")):
        said = refused("new", str(shop), "--orders", str(records), option, value)
        assert told in said and "workbook.yaml.new" not in said
        assert not (shop / "workbook.yaml").exists()


def test_what_the_disk_refuses_is_said_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    records = tmp_path / "orders.csv"
    records.write_text("order,customer,date,amount\n1,ann,2026-01-20,5\n2,bob,2026-01-21,6\n")
    monkeypatch.setattr("sys.argv", ["workbook", "new", str(records), "--orders", str(records)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{records}") and "Way out: A file lies where a folder is to be" in said


def test_a_full_disk_is_said_and_a_fault_of_the_program_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def runs_into(code: int) -> None:
        def run() -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr("workbook.cli.app", run)

    runs_into(errno.ENOSPC)
    with pytest.raises(SystemExit):
        main()
    assert "No space left on device" in (said := capsys.readouterr().err) and "Make room" in said
    runs_into(errno.EBADF)
    with pytest.raises(OSError, match="Bad file"):
        main()
