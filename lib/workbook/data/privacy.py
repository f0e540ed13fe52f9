"""Personal data at the door: hashed, reduced or masked before anything is stored.

A batch of text columns as they arrived goes in; the same rows come out without their personal columns:

- a phone becomes a keyed hash of the number in E.164, which needs the shop's country;
- a mail address becomes a keyed hash of its trimmed lower-case form;
- of a birth date the year and, apart, the month and day stay;
- an address leaves its region;
- free text stays with phones, mail addresses, document, card and account numbers masked by pattern;
- names and network addresses leave nothing;
- an id of a customer that is itself a phone or a mail address is replaced by that hash.

The hash is HMAC-SHA256 under the key of the settings, cut to 128 bits (RFC 2104, 1997, section 5). The same value
gives the same hash in every table, so that hashes still join. No personal column, no key needed.
"""

from __future__ import annotations

import hmac
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import SecretStr

from workbook.data.errors import WorkbookError
from workbook.data.parsing import Manner, parse
from workbook.data.schema import Column, Table
from workbook.data.settings import Settings, secret

NORMALISER = 1  # version of the rules by which phones and mails are brought into one form before they are hashed
SHORTEST_KEY = 16  # characters; all mobile numbers of a country can be tried against a guessable key
# Ids that name a person; an order number of eleven digits is left alone.
_PERSON_IDS = frozenset({"customer_id", "account_id", "external_id", "visitor_id", "referrer_id", "referred_id",
                         "household_id"})
_HASHED = {"phone": "phone_hash", "mail": "mail_hash"}
_MAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]+")
_CHINESE_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_PLAIN = str.maketrans("＠．＋－（）：　０１２３４５６７８９", "@.+-(): 0123456789")  # one for one: places stay


class Sealed(NamedTuple):
    """A batch without personal data."""

    table: pa.Table
    reasons: dict[str, pa.Array]  # personal column → why a value was not readable; null where it was


# --- masks -------------------------------------------------------------------------------------

_ACCOUNT = r"(?:微信号?|wechat|weixin|wx|vx|qq号?|支付宝|alipay)(?:\s*(?:id|is|是|号|为))?\s*[:：]?\s*"
_PATTERNS = (
    ("mail", re.compile(r"[\w.+%-]*\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:\.[\w-]+)+", re.ASCII | re.IGNORECASE)),
    ("account", re.compile(rf"({_ACCOUNT})[A-Za-z0-9][\w.-]{{4,29}}", re.ASCII | re.IGNORECASE)),
    ("id", re.compile(r"(?<!\d)\d{6}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?!\d)")),
    ("card", re.compile(r"(?<!\d)\d{4}(?:[ -]?\d{4}){2,3}(?:[ -]?\d{1,4})?(?!\d)")),
    ("phone", re.compile(r"(?<![\d.,])(?:\+|00)?\(?\d(?:[ ().·-]{0,2}\d){6,14}(?!\d)")),
    ("phone", re.compile(r"[零〇一幺二三四五六七八九]{7,}")),
)
_DAY = re.compile(r"(?<!\d)(?:(?:19|20)\d{2}[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01])"
                  r"|(?:0?[1-9]|[12]\d|3[01])[-./](?:0?[1-9]|[12]\d|3[01])[-./](?:19|20)\d{2})(?!\d)")
# Cheap test for what may hold one of the patterns: only such texts are looked at closely.
_SUSPECT = (r"[@＠]|(?i:\(at\)|\[at\]|微信|wechat|weixin|wx|vx|qq|支付宝|alipay)"
            r"|[\d０-９](?:[^\d０-９]{0,2}[\d０-９]){6}|[零〇一幺二三四五六七八九]{7}")


def mask_text(text: str) -> str:
    """Free text with personal values replaced by their kind.

    >>> mask_text("call 138 1234 5678 or li@example.com, order 536365 of 2026-03-05")
    'call [phone] or [mail], order 536365 of 2026-03-05'
    """
    plain = _DAY.sub(lambda day: "\0" * len(day[0]), text.translate(_PLAIN))  # a day is no phone
    for kind, pattern in _PATTERNS:
        plain, text = _replaced(pattern, kind, plain, text)
    return text


def _replaced(pattern: re.Pattern[str], kind: str, plain: str, text: str) -> tuple[str, str]:
    """Both texts with the pattern's finds replaced: found in `plain`, which is as long as `text`."""
    for match in reversed(list(pattern.finditer(plain))):
        start = match.end(1) if pattern.groups else match.start()
        plain, text = (f"{one[:start]}[{kind}]{one[match.end():]}" for one in (plain, text))
    return plain, text


def mask(value: str | None, kind: str) -> str:
    """A value as a quarantine may show it: the shape of a personal one, other text with its personal parts masked.

    >>> mask("Li Ming, 138-1234-567x", "phone"), mask("12,5o", ""), mask("a b@example.com", "")
    ('xx xxxx, 999-9999-999x', '12,5o', 'a [mail]')
    """
    if value is None:
        return ""
    if not kind:
        return mask_text(value)[:80]
    shape = re.sub(r"[^\W\d_]", lambda letter: "x" if letter[0] < "\u2e80" else "文", value[:40])
    return re.sub(r"\d", "9", shape)


# --- normal forms ------------------------------------------------------------------------------


def normal_mail(text: str) -> tuple[str | None, str | None]:
    """The address in one form, or None and the reason.

    >>> normal_mail(" Li.Ming@Example.COM ")
    ('li.ming@example.com', None)
    """
    tidy = text.translate(_PLAIN).strip().removeprefix("mailto:").lower()
    if "*" in tidy:
        return None, "mail_masked_by_sender"
    found = _MAIL.search(tidy)
    return (found[0], None) if found else (None, "mail")


def normal_phone(text: str, country: str) -> tuple[str | None, str | None]:
    """The number in E.164, or None and the reason. Of several numbers in one cell the first counts.

    Args:
        country: ISO 3166 code of the country in which a number without + was written.

    >>> normal_phone("138-1234-5678", "CN"), normal_phone("138****5678", "CN")
    (('+8613812345678', None), (None, 'phone_masked_by_sender'))
    """
    tidy = text.translate(_PLAIN).strip().strip("'\"")
    if "*" in tidy:
        return None, "phone_masked_by_sender"
    tidy = re.sub(r"^(\d+)\.0$", r"\1", tidy)
    if country == "CN" and (mobile := _CHINESE_MOBILE.fullmatch(re.sub(r"[ -]", "", tidy))):
        return (f"+86{mobile[1]}", None) if len(set(mobile[1])) > 2 else (None, "phone_placeholder")
    for written in re.split(r"[/;,，、；|]| or ", tidy):
        try:
            number = phonenumbers.parse(written, country or None)
        except phonenumbers.NumberParseException as error:
            if error.error_type == error.INVALID_COUNTRY_CODE and not country and re.search(r"\d{5}", written):
                return None, "phone_without_country"
            continue
        if phonenumbers.is_possible_number(number):
            number.extension = None
            if len(set(str(number.national_number))) <= 2:
                return None, "phone_placeholder"
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), None
    return None, "phone"


def _phone_id(text: str, country: str) -> str | None:
    """The number in E.164 when an id is one beyond doubt: a valid number that may be a mobile's."""
    if not re.fullmatch(r"\+?[\d ().-]{10,20}", text):
        return None
    digits = re.sub(r"\D", "", text)
    if _CHINESE_MOBILE.fullmatch(digits) and country in ("", "CN"):
        return normal_phone(digits, "CN")[0]
    if not country and not text.startswith("+"):
        return None
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return None
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in kinds:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# --- regions -----------------------------------------------------------------------------------

# Provinces, and cities that people write without their province: capitals and the largest others.
_CITIES_OF = {
    "北京": "", "天津": "", "上海": "", "重庆": "", "香港": "", "澳门": "", "台湾": "台北 高雄",
    "河北": "石家庄 唐山 保定", "山西": "太原", "内蒙古": "呼和浩特 包头", "辽宁": "沈阳 大连", "吉林": "长春",
    "黑龙江": "哈尔滨 大庆", "江苏": "南京 苏州 无锡 常州 南通 徐州 扬州", "安徽": "合肥 芜湖",
    "浙江": "杭州 宁波 温州 嘉兴 绍兴 金华 义乌", "福建": "福州 厦门 泉州", "江西": "南昌",
    "山东": "济南 青岛 烟台 潍坊", "河南": "郑州 洛阳", "湖北": "武汉 宜昌", "湖南": "长沙 株洲",
    "广东": "广州 深圳 东莞 佛山 珠海 中山 惠州 汕头", "广西": "南宁 桂林", "海南": "海口 三亚",
    "四川": "成都 绵阳", "贵州": "贵阳", "云南": "昆明", "西藏": "拉萨", "陕西": "西安", "甘肃": "兰州",
    "青海": "西宁", "宁夏": "银川", "新疆": "乌鲁木齐",
}  # fmt: skip
_PROVINCE = {place: province for province, cities in _CITIES_OF.items() for place in (province, *cities.split())}
_REGION_CN = re.compile(r"^(?:\d{6}|中国|中华人民共和国|[,，\s])*(" + "|".join(_PROVINCE) + ")")
_REGION_US = re.compile(r"\b([A-Z]{2})[ ,]+\d{5}(?:-\d{4})?\b")


def region_of(address: str) -> str | None:
    """The province or state that an address names, or None.

    >>> region_of("深圳市南山区科技园1号"), region_of("1 Main St, Springfield, IL 62701"), region_of("Hauptstr. 1")
    ('广东', 'IL', None)
    """
    tidy = address.strip()
    if found := _REGION_CN.match(tidy):
        return _PROVINCE[found[1]]
    found = _REGION_US.search(tidy)
    return found[1] if found else None


# --- batches -----------------------------------------------------------------------------------


class Pseudonymiser:
    """Takes the personal columns out of batches.

    Args:
        key: key of the hashes; may hold `${ENV_NAME}`, which is read when the first value is hashed.
        phone_country: ISO 3166 code of the country in which phones without + were written.
        key_id: the name that the shop gives to this key.
    """

    def __init__(self, key: str | SecretStr = "", phone_country: str = "", *, key_id: str = "1") -> None:
        self._declared_key = key if isinstance(key, SecretStr) else SecretStr(key)
        self._key: bytes | None = None
        self.phone_country, self.key_id = phone_country.strip().upper(), key_id
        self.hashed_ids: Counter[tuple[str, str, str]] = Counter()  # (table, column, phone or mail) → values hashed
        self._refuse_unknown_country()

    @classmethod
    def of(cls, settings: Settings) -> Pseudonymiser:
        return cls(settings.privacy.key, settings.phone_country, key_id=settings.privacy.key_id)

    def __repr__(self) -> str:
        return f"Pseudonymiser(key_id={self.key_id!r}, phone_country={self.phone_country!r})"

    @property
    def fingerprint(self) -> str:
        """Tells one key from another without giving it away; hashes of two fingerprints must not be joined."""
        return self._hash(b"workbook key fingerprint")[:12]

    @property
    def stamp(self) -> tuple[int, str, str]:
        """Version of the normal forms, id of the key, and its fingerprint ("" while none is set).

        What was hashed under another stamp must be read again: its hashes do not join with new ones.
        """
        try:
            return NORMALISER, self.key_id, self.fingerprint
        except WorkbookError:
            return NORMALISER, self.key_id, ""

    def batch(self, table: pa.Table, of: Table, *, dates: str = "") -> pa.Table:
        """The rows without their personal columns. See `seal`."""
        return self.seal(table, of, dates=dates).table

    def seal(self, table: pa.Table, of: Table, *, dates: str = "") -> Sealed:
        """The rows without their personal columns, and why a personal value was not readable.

        Args:
            table: columns named as in `of`; personal ones and ids as text.
            dates: dmy or mdy, for birth dates that leave the order of day and month open.

        Raises:
            WorkbookError: when a phone or mail arrived and the key is not set or too short, or a phone
                without + arrived and no country is declared.
        """
        reasons: dict[str, pa.Array] = {}
        for column in of.personal:
            if column.name in table.column_names:
                texts = pc.cast(_whole(table[column.name]), pa.string())
                table = table.drop_columns([column.name])
                for name, values, why in self._reduced(texts, column, of, dates):
                    table = _filled_in(table, name, values)
                    reasons[column.name] = why
        for name in [name for name in table.column_names if name in _PERSON_IDS]:
            ids = _whole(table[name])
            if pa.types.is_string(ids.type):
                table = table.set_column(table.column_names.index(name), name, self._ids(ids, of.name, name))
        return Sealed(table, {name: why for name, why in reasons.items() if why.null_count < len(why)})

    def hash_of(self, text: str, kind: str) -> str | None:
        """The hash of one phone or mail address, to look up or erase one person."""
        normal, _ = normal_mail(text) if kind == "mail" else normal_phone(text, self.phone_country)
        return None if normal is None else self._hash(normal.encode())

    def _reduced(
        self, texts: pa.Array, column: Column, of: Table, dates: str
    ) -> list[tuple[str, pa.Array, pa.Array]]:
        """(stored column, its values, reasons) of a personal column."""
        match column.personal:
            case "phone" | "mail":
                where = f"{of.name}.{column.name}"
                values, why = _by_value(texts, lambda text: self._sealed_contact(text, column.personal, where))
                return [(_HASHED[column.personal], values, why)]
            case "birth_date":
                return self._birth(texts, column, dates)
            case "address":
                return [(column.becomes[0], *_by_value(texts, lambda text: (region_of(text), None)))]
            case "text":
                suspect = pc.fill_null(pc.match_substring_regex(texts, _SUSPECT), False)
                masked, why = _by_value(pc.if_else(suspect, texts, None), lambda text: (mask_text(text), None))
                return [(column.becomes[0], pc.if_else(suspect, masked, texts), why)]
            case _:
                return []

    def _birth(self, texts: pa.Array, column: Column, dates: str) -> list[tuple[str, pa.Array, pa.Array]]:
        """The year alone where the order of day and month is left open."""
        parsed = parse(texts, Column(column.name, "date", column.meaning), Manner(order=dates))
        undecided = pc.fill_null(pc.equal(parsed.reasons, "date_undecidable"), False)
        in_text = pc.cast(pc.struct_field(pc.extract_regex(texts, r"(?P<year>(?:18|19|20)\d{2})"), "year"), pa.int64())
        alone = pc.match_substring_regex(pc.utf8_trim_whitespace(texts), r"^(?:18|19|20)\d{2}$")
        year_only = pc.or_(undecided, pc.fill_null(alone, False))
        year = pc.if_else(year_only, in_text, pc.year(parsed.values))
        day = pc.if_else(year_only, None, pc.strftime(parsed.values, "%m-%d"))
        why = pc.if_else(year_only, None, parsed.reasons)
        return [("birth_year", year, why), ("birth_month_day", day, why)]

    def _ids(self, ids: pa.Array, table: str, column: str) -> pa.Array:
        """Ids, of which those that are phones or mail addresses are hashed."""
        may_be = pc.match_substring_regex(ids, r"@|^\s*\+?[\d ().\-]{10,20}\s*$")
        if not pc.any(may_be).as_py():
            return ids
        suspects = pc.if_else(pc.fill_null(may_be, False), ids, None)
        hashed, kinds = _by_value(suspects, self._sealed_id)
        for kind, times in zip(*pc.value_counts(kinds.drop_null()).flatten(), strict=True):
            self.hashed_ids[table, column, kind.as_py()] += times.as_py()
        return pc.coalesce(hashed, ids)

    def _sealed_id(self, text: str) -> tuple[str | None, str | None]:
        if "@" in text:
            normal, kind = normal_mail(text)[0], "mail"
        else:
            normal, kind = _phone_id(text.strip(), self.phone_country), "phone"
        return (None, None) if normal is None else (self._hash(normal.encode(), "an id of a customer"), kind)

    def _sealed_contact(self, text: str, kind: str, where: str) -> tuple[str | None, str | None]:
        if not text.strip():
            return None, None
        normal, why = normal_mail(text) if kind == "mail" else normal_phone(text, self.phone_country)
        if why == "phone_without_country":
            raise WorkbookError(
                f"{where} holds phones without a country code, such as {mask(text, 'phone')}.",
                why="The same number written with and without its country must become the same hash.",
                way_out="Declare the shop's country in workbook.yaml, for instance phone_country: CN.",
            )
        return (None if normal is None else self._hash(normal.encode(), where)), why

    def _hash(self, message: bytes, where: str = "") -> str:
        if self._key is None:
            self._key = self._read_key(where)
        return hmac.digest(self._key, message, "sha256").hex()[:32]

    def _read_key(self, where: str) -> bytes:
        what = f"{where or 'A personal column'} must be hashed, and the key of the hashes"
        way_out = ("export WORKBOOK_KEY=… (make one with: python -c 'import secrets; print(secrets.token_hex(32))'), "
                   "keep it safe, and use the same one every time; or leave the personal columns out of `columns`.")
        try:
            key = secret(self._declared_key)
        except WorkbookError as error:
            raise WorkbookError(f"{what} is not set: {error.what}", why="Originals are never stored.",
                                way_out=way_out) from None
        if len(key) < SHORTEST_KEY:
            short = "is not set" if not key else f"is shorter than {SHORTEST_KEY} characters"
            raise WorkbookError(f"{what} {short}.", why="All phone numbers of a country can be tried against a "
                                "guessable key.", way_out=way_out)
        return key.encode()

    def _refuse_unknown_country(self) -> None:
        if self.phone_country and self.phone_country not in phonenumbers.SUPPORTED_REGIONS:
            raise WorkbookError(
                f"phone_country {self.phone_country!r} is no country that phone numbers are known for.",
                way_out="Write its two letters after ISO 3166: CN, GB, US, DE, …",
            )


def names_people(table: Table) -> bool:
    """Whether rows of the table can hold a hash: of a phone, a mail address, or an id of a customer that is one."""
    return bool(_PERSON_IDS & table.by_name.keys()) or any(column.personal in _HASHED for column in table.personal)


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _by_value(
    texts: pa.Array, rule: Callable[[str], tuple[str | None, str | None]]
) -> tuple[pa.Array, pa.Array]:
    """The rule's two answers for each row; asked once a distinct text."""
    coded = texts.dictionary_encode()
    answers = [(None, None) if text is None else rule(text) for text in coded.dictionary.to_pylist()]
    first, second = (pa.array([answer[i] for answer in answers], pa.string()) for i in (0, 1))
    return first.take(coded.indices), second.take(coded.indices)


def _filled_in(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """The table with that column; what the source brought itself wins over what was derived."""
    if name not in table.column_names:
        return table.append_column(name, values)
    own = _whole(table[name])
    blank = pc.equal(pc.utf8_trim_whitespace(own), "") if pa.types.is_string(own.type) else pc.is_null(own)
    merged = pc.if_else(pc.fill_null(blank, True), pc.cast(values, own.type), own)
    return table.set_column(table.column_names.index(name), name, merged)
