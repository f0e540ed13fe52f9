"""What the tests share: both engines, small tables, public data, a PostgreSQL server and a browser.

A part that this machine lacks skips its tests with the reason. With WORKBOOK_REQUIRE_ALL=1 a skip is a failure.
"""

import gc
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ibis
import matplotlib
import nbformat
import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from workbook.data.engine import connect
from workbook.data.notebooks import read_notebooks
from workbook.data.settings import Engine
from workbook.output import i18n

matplotlib.use("agg")
# An expression of the engine is thousands of small objects; looking through them all too often takes a seventh of it.
gc.set_threshold(50_000, 20, 100)

REPOSITORY = Path(__file__).resolve().parents[1]
REQUIRE_ALL = os.environ.get("WORKBOOK_REQUIRE_ALL", "") not in ("", "0")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NEEDS = {
    "browser": "needs_chromium",
    "chromium": "needs_chromium",
    "same_browser": "needs_chromium",
    "postgres_url": "needs_postgres",
    "public_data": "needs_public_data",
    "spark_session": "needs_java",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the parts that its fixtures need, so that `-m "not needs_java"` selects."""
    for item in items:
        for fixture in NEEDS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(NEEDS[fixture])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    return _required(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report = yield
    return _required(report)


def _required(report: Any) -> Any:
    """The report itself; where everything is required, a skip becomes a failure that keeps its reason."""
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"WORKBOOK_REQUIRE_ALL is set, and this was skipped: {reason}"
    return report


@pytest.fixture(autouse=True)
def english() -> None:
    """Each test begins in English without a currency, whatever the one before it spoke."""
    i18n.use("en", "")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the project."""
    return REPOSITORY


@pytest.fixture(scope="session")
def public_data() -> Callable[[str], Path]:
    """`public_data("chinook/Chinook_Sqlite.sqlite")`: a file of the public data sets, or a skip."""

    def find(name: str) -> Path:
        folder = os.environ.get("WORKBOOK_DATA")
        if not folder:
            pytest.skip("WORKBOOK_DATA does not name the folder of the public data sets (README, Public data)")
        path = Path(folder) / name
        if not path.exists():
            pytest.skip(f"{path} is not there")
        return path

    return find


@pytest.fixture(scope="session")
def spark_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One small local Spark a test session."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Java is not installed")
    pyspark_sql = pytest.importorskip("pyspark.sql", reason="PySpark is not installed (make spark)")
    folder = tmp_path_factory.mktemp("spark")
    session = (
        pyspark_sql.SparkSession.builder.master("local[2]")
        .appName("workbook tests")
        .config("spark.driver.memory", "2g")
        # The quick compiler alone, and one thread to collect garbage: no query of a test runs long enough for more.
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.local.dir", str(folder))
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.needs_java)])
def con(request: pytest.FixtureRequest) -> ibis.BaseBackend:
    """An empty engine; a test that takes it runs once on DuckDB and once on Spark."""
    if request.param == "spark":
        request.getfixturevalue("spark_session")  # Spark's own "get or create" finds this one
    return connect(Engine(url=request.param, memory="1GB", threads=2))


@pytest.fixture(scope="session")
def make_table() -> Callable[..., ibis.Table]:
    """`make_table(con, data, types={"amount": pa.decimal128(18, 4)})`: a small table in the engine.

    `data` is a pandas or pyarrow table, or a mapping of columns.
    """
    names = (f"made_{number}" for number in itertools.count())

    def make(con: Any, data: Any, types: Mapping[str, pa.DataType] | None = None) -> ibis.Table:
        if isinstance(data, pd.DataFrame):
            data = pa.Table.from_pandas(data, preserve_index=False)
        table = data if isinstance(data, pa.Table) else pa.table(dict(data))
        fields = [(types or {}).get(field.name, _engine_type(field.type)) for field in table.schema]
        table = table.cast(pa.schema(list(zip(table.column_names, fields, strict=True))))
        name = next(names)
        if con.name == "pyspark":
            con._session.createDataFrame(table).createOrReplaceTempView(name)
            return con.table(name)
        return con.create_table(name, table)

    return make


def _engine_type(kind: pa.DataType) -> pa.DataType:
    """Microseconds and plain strings, as the store keeps them."""
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz=kind.tz)
    return pa.string() if pa.types.is_large_string(kind) else kind


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL database: the one WORKBOOK_TEST_POSTGRES names, or a server of our own on the loopback."""
    given = os.environ.get("WORKBOOK_TEST_POSTGRES")
    if given:
        yield given
        return
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    binaries = _postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server: initdb was not found, and WORKBOOK_TEST_POSTGRES is not set")
    yield from _serve_postgres(binaries, tmp_path_factory.mktemp("postgres"))


def _postgres_binaries() -> Path | None:
    """The folder with initdb and postgres: on the path, or the newest where Debian keeps them."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    return folders[-1] if folders else None


def _serve_postgres(binaries: Path, folder: Path) -> Iterator[str]:
    as_server: dict[str, Any] = {}
    if os.geteuid() == 0:
        # The server refuses to run as root: it gets the account that its package made, and a folder it can enter.
        try:
            account = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no account named postgres")
        as_server = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        folder = Path(tempfile.mkdtemp(prefix="workbook-postgres-"))
        os.chown(folder, account.pw_uid, account.pw_gid)
    cluster = folder / "cluster"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run(
        [binaries / "initdb", "-D", cluster, "-U", "workbook", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True, capture_output=True, cwd=folder, **as_server,
    )  # fmt: skip
    options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", cluster, *(f"--{name}={value}" for name, value in options.items())],
            stdout=log, stderr=log, cwd=folder, **as_server,
        )  # fmt: skip
    try:
        _wait_for(port, server, folder / "log")
        yield f"postgresql://workbook@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(timeout=30)
        shutil.rmtree(folder)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    until = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(f"postgresql://workbook@127.0.0.1:{port}/postgres", connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}") from None
            time.sleep(0.1)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The system's Chromium, or the one that WORKBOOK_CHROMIUM names."""
    named = os.environ.get("WORKBOOK_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium was found, and WORKBOOK_CHROMIUM does not name one")
    return Path(found)


@pytest.fixture
def browser(chromium: Path) -> Iterator[Any]:
    """A Playwright browser for one test: an open one holds an event loop, which would stop notebooks from running."""
    yield from _open_browser(chromium)


@pytest.fixture(scope="module")
def same_browser(chromium: Path) -> Iterator[Any]:
    """A Playwright browser for the tests of a file none of which runs a notebook."""
    yield from _open_browser(chromium)


def _open_browser(chromium: Path) -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(chromium), args=CHROMIUM_FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Any]:
    """One process with everything imported, which forks the kernels of all renders of a test session."""
    from workbook.output.kernels import Nursery, warm_kernels  # seconds, which other tests need not wait for

    with warm_kernels(read_notebooks(REPOSITORY / "notebooks")):
        made, Nursery.current = Nursery.current, None
        yield made


@pytest.fixture
def warm(nursery: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Renders of this test find a nursery, as the periods of a back-fill do: its imports take seconds a render."""
    if nursery is not None and nursery.process.poll() is None:
        monkeypatch.setattr(type(nursery), "current", nursery)


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm: None) -> Callable[..., None]:
    """`book("11_first", "run.find('x', 1)", makes=["first"])` writes a notebook into a folder of our own."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setenv("WORKBOOK_NOTEBOOKS", str(folder))

    def write(name: str, code: str = "run.find('x', 1, unit='rows')", *, needs: list[str] | None = None,
              makes: list[str] | None = None, options: str = "") -> None:
        cell, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
        parameters = (
            f'settings: str = "workbook.yaml"  # file\nas_of: str = ""  # day\nlang: str = "en"  # language\n{options}')
        cells = [
            text(f"# {name}\n\n**What is it?**"),
            cell(parameters, metadata={"tags": ["parameters"]}),
            cell("from workbook.data.run import open_run\nfrom IPython.display import Markdown\nimport pyarrow as pa"),
            cell(f'run = open_run("{name}", settings=settings, as_of=as_of, lang=lang)'),
            text("## How to read it"),
            cell(code),
            text("## Exercises\n\nFor training only.", metadata={"tags": ["training"]}),
            cell("run.close()"),
        ]
        tables = {"needs": needs or [], "optional": [], "makes": makes or []}
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        metadata = {"kernelspec": kernel, "workbook": tables}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / f"{name}.ipynb")

    return write


@pytest.fixture(scope="session")
def workbook() -> Callable[..., str]:
    """`workbook("render", "--as-of", "2015-02-07", folder=folder)`: the command as a user gives it; what it printed."""

    def command(*arguments: str, folder: Path) -> str:
        ran = subprocess.run(
            [str(Path(sys.executable).with_name("workbook")), *arguments], cwd=folder, capture_output=True, text=True,
            env=os.environ | {"COLUMNS": "200"},
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return command


@pytest.fixture(scope="session")
def command(nursery: Any) -> Callable[..., str]:
    """As `workbook`, but in this process and its nursery: where another's imports would show nothing."""
    from workbook.cli import app

    def run(*arguments: str, folder: Path) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            if nursery is not None and nursery.process.poll() is None:
                patch.setattr(type(nursery), "current", nursery)
            ran = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"}, catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
        return ran.stdout

    return run
