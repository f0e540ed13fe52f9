"""What the user declares in workbook.yaml: typed, validated, nothing unknown let through.

The folder of the file is the workspace. Secrets are written as `${ENV_NAME}` and read from the
environment when they are needed, so that no secret is ever part of the settings object's repr.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from workbook.data.errors import WorkbookError, nearest
from workbook.data.schema import TABLES

Action = Literal["keep", "flag", "drop"]
Load = Literal["append", "replace_file", "snapshot", "upsert"]
Grain = Literal["week", "month", "quarter"]
_ENV = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Part):
    """One place where records come from, and how they become one canonical table."""

    name: str = ""  # how reports call it; the table's name when left out
    table: str = ""  # canonical table; may stay empty for a known export
    path: str = ""  # file or glob, relative to the workspace; may hold ${ENV_NAME}
    url: SecretStr | None = None  # sqlite:///file.db or postgresql://user:${PASSWORD}@host/db
    query: str = ""  # SQL of a database source; or
    from_table: str = ""  # its table
    format: Literal["auto", "csv", "aligned", "excel", "jsonl", "parquet"] = "auto"
    member: str = ""  # glob of members inside a zip
    sheet: str = ""  # Excel sheet; the first one when left out
    delimiter: str = ""  # found when left out
    encoding: str = ""  # found when left out
    header: bool | None = None  # found when left out
    columns: dict[str, str] | list[str] = Field(default_factory=dict)  # theirs → ours; a list for files without header
    values: dict[str, dict[str, str]] = Field(default_factory=dict)  # our column → their value → our value
    constants: dict[str, str] = Field(default_factory=dict)  # our column → one value for every row
    dates: Literal["", "ymd", "dmy", "mdy"] = ""  # order of day and month where a date leaves it open
    decimal_comma: bool = False
    load: Load = "replace_file"
    where: str = ""  # filter pushed down to a database source
    max_rejected_share: float = Field(default=0.01, ge=0, le=1)
    known: str = ""  # name of a mapping of a known export; recognised by its headers when left out
    only_with: str = ""  # their column; rows in which it is blank are passed over (totals on the first line alone)
    repeat: tuple[str, ...] = ()  # their columns that an order has on its first line only; the lines below repeat them
    share_out: str = ""  # their column with an order's total: its lines' prices × quantities become shares of it

    @field_validator("table")
    @classmethod
    def _table_is_canonical(cls, table: str) -> str:
        if table and table not in TABLES:
            raise ValueError(f"unknown table {table!r}: {nearest(table, TABLES)}")
        return table

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if bool(self.path) == bool(self.url):
            raise ValueError("a source has either `path` or `url`")
        if self.table:
            known = TABLES[self.table].by_name
            ours = self.columns.values() if isinstance(self.columns, dict) else self.columns
            for column in [*ours, *self.values, *self.constants]:
                if column != "-" and column not in known:
                    raise ValueError(f"unknown column {column!r} of {self.table}: {nearest(column, known)}")
        return self

    @property
    def label(self) -> str:
        return self.name or self.table or self.known or self.path


class Rate(_Part):
    """What one unit of a foreign currency is worth in the reporting currency."""

    currency: str
    rate: Decimal
    valid_from: date = date(1900, 1, 1)


class Occasion(_Part):
    """A feast, holiday or promotion of the shop's calendar."""

    name: str
    start: date
    end: date | None = None  # the same day when left out
    kind: Literal["holiday", "promotion", "feast"] = "holiday"


class ControlTotal(_Part):
    """A total that finance stands for, to be met by the collected records."""

    period: str  # 2026-06, or all
    measure: Literal["revenue", "orders", "rows", "net_revenue", "customers"]
    table: str = "orders"
    value: Decimal
    tolerance: Decimal = Decimal("0.005")  # share of the value
    rule: Literal["raw", "clean"] = "raw"


class Cleaning(_Part):
    """What each cleaning rule does, and what the rules need to know."""

    rules: dict[str, Action] = Field(default_factory=dict)  # rule → keep | flag | drop; named in `cleaning`
    non_products: tuple[str, ...] = ()  # product ids that are not goods: postage, fees
    test_customers: tuple[str, ...] = ()  # customer ids of test accounts
    synonyms: dict[str, dict[str, str]] = Field(default_factory=dict)  # column → written → meant
    first_possible_date: date = date(1990, 1, 1)
    youngest: int = 10  # years; a birth year beyond is impossible
    oldest: int = 110  # years
    return_age_days: int = 30  # equal return age at which periods are compared
    largest_identity: int = 5  # ids of one person; a bigger cluster is a shared number
    cancelled_statuses: tuple[str, ...] = ("cancelled", "canceled", "voided", "已取消", "交易关闭")


class Privacy(_Part):
    """How personal data is treated."""

    key: SecretStr = SecretStr("${WORKBOOK_KEY}")  # key of the hashes; needed when a personal column arrives
    key_id: str = "1"
    smallest_cell: int = Field(default=5, ge=1)  # smaller groups are not shown
    reveal: dict[str, str] = Field(default_factory=dict)  # who may see names and numbers: name → account they log in by


class Engine(_Part):
    """Where the work is done."""

    url: str = "duckdb"  # duckdb, or spark / a Spark master URL
    memory: str = "4GB"
    threads: int = Field(default=0, ge=0)  # 0: all cores


class Webhook(_Part):
    """An address to which the summary of a run is posted."""

    url: SecretStr  # whoever knows it can write there: ${ENV_NAME}
    format: Literal["generic", "slack", "teams", "feishu", "wecom", "dingtalk"] = "generic"
    secret: SecretStr | None = None  # of a signed Feishu or DingTalk robot: ${ENV_NAME}
    lang: Literal["", "en", "zh"] = ""  # the first of `languages` when left out

    @model_validator(mode="after")
    def _address_and_signature(self) -> Webhook:
        if not re.match(r"https?://|\$\{", self.url.get_secret_value()):
            raise ValueError("`url` is no http(s) address and names no ${ENV_NAME}")
        if self.secret is not None and self.format not in ("feishu", "dingtalk"):
            raise ValueError(f"`secret` signs messages to feishu and dingtalk, not to {self.format}")
        return self


class Mail(_Part):
    """A mail server, and whom it is to bring the summary of a run."""

    server: str
    port: int = Field(default=0, ge=0, le=65535)  # 587, 465 or 25, as the security asks for, when left out
    security: Literal["starttls", "ssl", "plain"] = "starttls"
    user: SecretStr | None = None
    password: SecretStr | None = None  # ${ENV_NAME}
    sender: str
    to: tuple[str, ...] = Field(min_length=1)
    lang: Literal["", "en", "zh"] = ""  # the first of `languages` when left out

    @model_validator(mode="after")
    def _whole_and_safe(self) -> Mail:
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` belong together")
        if self.password is not None and self.security == "plain":
            raise ValueError("a password is not sent over a `plain` connection: starttls or ssl")
        for address in (self.sender, *self.to):
            if not re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", address):
                raise ValueError(f"{address!r} is no mail address")
        return self


class Notify(_Part):
    """Who is told after a run, and what."""

    when: Literal["always", "changed", "failed"] = "changed"  # changed: each new report, and each failure
    link: str = ""  # where readers find a report: https://reports.example.com/{period}/; its path when left out
    webhooks: tuple[Webhook, ...] = ()
    mail: tuple[Mail, ...] = ()
    timeout_seconds: float = Field(default=20, gt=0, le=300)  # for each of them

    @field_validator("mail", mode="before")
    @classmethod
    def _one_or_several(cls, mail: Any) -> Any:
        return [mail] if isinstance(mail, dict) else mail

    @field_validator("link")
    @classmethod
    def _link_knows_the_period(cls, link: str) -> str:
        if re.sub(r"\{period\}", "", link).count("{"):
            raise ValueError("`link` may hold {period} and nothing else in braces")
        return link


class Part(NamedTuple):
    """One value of a dimension by which a shop is divided: region, channel, brand …"""

    dimension: str
    value: str | None  # None: the orders that say nothing of it

    @property
    def name(self) -> str:
        return "?" if self.value is None else self.value

    @property
    def folder(self) -> str:
        """Where its store and its reports lie, below those of the shop; two values never share one."""
        plain = re.sub(r"[^\w-]+", "_", self.name).strip("_")
        told = plain if plain == self.value else f"{plain}-{zlib.crc32(repr(self.value).encode()):08x}"
        return f"by/{self.dimension}/{told}"


class Settings(_Part):
    """Everything that is declared about one shop."""

    name: str
    folder: Path = Field(exclude=True)
    file: Path = Field(exclude=True)
    part: Part | None = Field(default=None, exclude=True)
    currency: str = "XXX"  # ISO 4217; XXX: not said
    rates: tuple[Rate, ...] = ()
    time_zone: str = "UTC"
    phone_country: str = ""
    period: Grain = "month"
    base_period: str = ""  # where fitted rules are fixed; left out: the last that was over at the first render
    languages: tuple[Literal["en", "zh"], ...] = ("en",)
    sources: tuple[Source, ...]
    calendar: tuple[Occasion, ...] = ()
    targets: dict[str, Decimal] = Field(default_factory=dict)  # figure → value per period
    control_totals: tuple[ControlTotal, ...] = ()
    cleaning: Cleaning = Cleaning()
    chapters: dict[str, dict[str, Any]] = Field(default_factory=dict)  # chapter → option → value
    engine: Engine = Engine()
    privacy: Privacy = Privacy()
    forms: tuple[Literal["pdf", "excel"], ...] = ()  # what each render makes beside the pages
    notify: Notify = Notify()

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f"unknown time zone {zone!r}: {nearest(zone, available_timezones())[:200]}")
        return zone

    @field_validator("currency")
    @classmethod
    def _currency_is_iso(cls, currency: str) -> str:
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise ValueError(f"{currency!r} is no ISO 4217 code such as EUR, USD, CNY")
        return currency

    @model_validator(mode="after")
    def _sources_have_own_names(self) -> Settings:
        labels = [source.label for source in self.sources]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise ValueError(f"two sources are called {twice[0]!r}: give each a `name`")
        return self

    def path_of(self, source: Source) -> str:
        """The file or glob of a source: `${ENV_NAME}` read from the environment, relative to the workspace."""
        return str(self.folder / Path(secret(SecretStr(source.path))).expanduser())

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def store_folder(self) -> Path:
        return self.folder / ".workbook" / (self.part.folder if self.part else "")

    @property
    def reports_folder(self) -> Path:
        return self.folder / "reports" / (self.part.folder if self.part else "")

    def of_part(self, part: Part) -> Settings:
        """The same shop, where only one part of it is looked at: with a store and reports of its own."""
        return self.model_copy(update={"part": part, "name": f"{self.name} · {part.name}"})


def secret(value: SecretStr, *, environment: Mapping[str, str] = os.environ) -> str:
    """The value with every `${ENV_NAME}` read from the environment.

    Raises:
        WorkbookError: when a named variable is not set.
    """

    def look_up(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environment:
            raise WorkbookError(
                f"The environment variable {name} is not set.",
                why="workbook.yaml refers to it for a secret.",
                way_out=f"export {name}=… before you start, or put it into your scheduler's secrets.",
            )
        return environment[name]

    return _ENV.sub(look_up, value.get_secret_value())


def find_settings(path: str | Path) -> Path:
    """The settings file: as given, or looked for in this folder and the folders above it."""
    given = Path(path)
    if given.is_dir():
        given = given / "workbook.yaml"
    places = [given] if given.is_absolute() else [folder / given for folder in [Path.cwd(), *Path.cwd().parents]]
    for place in places:
        if place.is_file():
            return place.resolve()
    raise WorkbookError(
        f"There is no settings file {str(path)!r} here or in a folder above.",
        way_out="`workbook new FOLDER --orders FILE` writes one for your own data; --settings names another.",
    )


def load_settings(path: str | Path = "workbook.yaml") -> Settings:
    """Read and check workbook.yaml.

    Raises:
        WorkbookError: names the file and every wrong entry, with the nearest known key.
    """
    file = find_settings(path)
    try:
        declared = yaml.safe_load(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise WorkbookError(f"{file} is no text in UTF-8.", way_out="Name the workbook.yaml of a shop; if it is one, "
                            "save it as UTF-8. `workbook new` writes one for your records.") from error
    except yaml.YAMLError as error:
        raise WorkbookError(f"{file} is not valid YAML: {error}", way_out="Mend the line that it names.") from error
    if not isinstance(declared, dict):
        raise WorkbookError(f"{file} is empty.", way_out="`workbook new` writes a commented one.")
    for key in {"file", "folder", "part"} & declared.keys():  # known from where the file lies, and no keys of it
        raise WorkbookError(f"{file}:\n  {key}: unknown key, {nearest(key, _fields_at(Settings, []))}",
                            way_out="Take it out: the folder of the file is the workspace.")
    try:
        return Settings.model_validate({**declared, "file": file, "folder": file.parent})
    except ValidationError as error:
        number = f"{error.error_count()} wrong {'entry' if error.error_count() == 1 else 'entries'}"
        raise WorkbookError(
            f"{file} has {number}:\n" + "\n".join(_sentences(error)),
            way_out="Mend them and try again; nothing was run.",
        ) from None


def _sentences(error: ValidationError) -> list[str]:
    return [f"  {'.'.join(map(str, item['loc'])) or 'settings'}: {_sentence(item)}" for item in error.errors()]


def _sentence(item: Mapping[str, Any]) -> str:
    if item["type"] != "extra_forbidden":
        return item["msg"].removeprefix("Value error, ")
    *parents, key = item["loc"]
    return f"unknown key, {nearest(str(key), _fields_at(Settings, parents))}"


def _fields_at(model: type[BaseModel], parents: list[str | int]) -> list[str]:
    """Names of the fields where an unknown key was met: follows the path of the error."""
    for parent in parents:
        if isinstance(parent, int):
            continue
        annotation = model.model_fields[parent].annotation
        inner = [part for part in getattr(annotation, "__args__", (annotation,)) if _is_part(part)]
        model = inner[0] if inner else model
    return [name for name in model.model_fields if name not in {"file", "folder", "part"}]


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
