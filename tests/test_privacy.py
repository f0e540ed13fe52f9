"""Personal data at the door: what leaves it is a hash, a year, a region or a mask, never the original."""

import hashlib
import hmac
import random
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbook.collection import collect
from workbook.data.errors import WorkbookError
from workbook.data.privacy import Pseudonymiser, mask, mask_text, normal_mail, normal_phone, region_of
from workbook.data.schema import TABLES
from workbook.data.settings import load_settings
from workbook.data.store import Store

KEY = "a key of thirty-two characters!!"
CUSTOMERS = TABLES["customers"]


def sealed(columns: dict[str, list[str | None]], *, country: str = "CN", table: str = "customers") -> dict[str, list]:
    arrived = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    return Pseudonymiser(KEY, country).batch(arrived, TABLES[table]).to_pydict()


@pytest.mark.parametrize(
    ("written", "country", "normal"),
    [
        ("13812345678", "CN", "+8613812345678"),
        ("138-1234-5678", "CN", "+8613812345678"),
        ("86 138 1234 5678", "CN", "+8613812345678"),
        ("+86 138 1234 5678", "", "+8613812345678"),
        ("0086 138 1234 5678", "CN", "+8613812345678"),
        ("１３８１２３４５６７８", "CN", "+8613812345678"),
        ("13812345678.0", "CN", "+8613812345678"),
        ("0571-88886666", "CN", "+8657188886666"),
        ("07911 123456", "GB", "+447911123456"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("13812345678/13912345678", "CN", "+8613812345678"),
        ("212 555 0123 ext. 7", "US", "+12125550123"),
    ],
)
def test_phone_in_one_form(written: str, country: str, normal: str) -> None:
    assert normal_phone(written, country) == (normal, None)


@pytest.mark.parametrize(
    ("written", "country", "reason"),
    [
        ("138****5678", "CN", "phone_masked_by_sender"),
        ("11111111111", "CN", "phone_placeholder"),
        ("0000000000", "GB", "phone_placeholder"),
        ("unknown", "CN", "phone"),
        ("12", "CN", "phone"),
        ("13812345678", "", "phone_without_country"),
    ],
)
def test_phone_that_is_none_says_why(written: str, country: str, reason: str) -> None:
    assert normal_phone(written, country) == (None, reason)


def test_mail_in_one_form() -> None:
    assert normal_mail(" Li.Ming@Example.COM\t") == ("li.ming@example.com", None)
    assert normal_mail("mailto:a@b.cn") == ("a@b.cn", None)
    assert normal_mail("a＠b.cn") == ("a@b.cn", None)
    assert normal_mail("l***@example.com") == (None, "mail_masked_by_sender")
    assert normal_mail("none") == (None, "mail")


def test_hash_is_hmac_of_the_normal_form() -> None:
    expected = hmac.new(KEY.encode(), b"+8613812345678", hashlib.sha256).hexdigest()[:32]
    out = sealed({"customer_id": ["7"], "phone": ["138 1234 5678"]})
    assert out == {"customer_id": ["7"], "phone_hash": [expected]}


def test_another_key_gives_another_hash_and_another_fingerprint() -> None:
    one, two = Pseudonymiser(KEY, "CN"), Pseudonymiser(KEY[::-1], "CN")
    assert one.hash_of("a@b.cn", "mail") != two.hash_of("a@b.cn", "mail")
    assert one.fingerprint != two.fingerprint
    assert one.fingerprint == Pseudonymiser(KEY, "GB", key_id="9").fingerprint


def test_personal_columns_become_their_derived_ones() -> None:
    out = sealed({
        "customer_id": ["1", "2", "3"],
        "name": ["张三", "Jane Roe", None],
        "phone": ["13812345678", None, "n/a"],
        "mail": ["a@b.cn", " A@B.cn ", ""],
        "address": ["浙江省杭州市西湖区文三路1号", "1 Main St, Springfield, IL 62701", None],
        "birth_date": ["1990-03-05", "1985年12月31日", "1978"],
    })  # fmt: skip
    assert set(out) == {"customer_id", "phone_hash", "mail_hash", "region", "birth_year", "birth_month_day"}
    assert out["mail_hash"][0] == out["mail_hash"][1] and out["mail_hash"][2] is None
    assert out["phone_hash"][1:] == [None, None]
    assert out["region"] == ["浙江", "IL", None]
    assert out["birth_year"] == [1990, 1985, 1978]
    assert out["birth_month_day"] == ["03-05", "12-31", None]


def test_unreadable_personal_values_say_their_row_and_reason() -> None:
    arrived = pa.table({"phone": ["13812345678", "x", None], "mail": ["a@b.cn", "a@b.cn", "nope"]})
    result = Pseudonymiser(KEY, "CN").seal(arrived, CUSTOMERS)
    assert result.reasons["phone"].to_pylist() == [None, "phone", None]
    assert result.reasons["mail"].to_pylist() == [None, None, "mail"]


def test_birth_date_of_open_order_leaves_the_year_and_declared_order_the_day() -> None:
    arrived = pa.table({"birth_date": ["03/04/1991"]})
    keyless = Pseudonymiser()
    assert keyless.batch(arrived, CUSTOMERS).to_pylist() == [{"birth_year": 1991, "birth_month_day": None}]
    assert keyless.batch(arrived, CUSTOMERS, dates="dmy").to_pylist() == [
        {"birth_year": 1991, "birth_month_day": "04-03"}]


def test_what_the_source_derived_itself_wins() -> None:
    out = sealed({"address": ["杭州市西湖区", "杭州市西湖区"], "region": ["Zhejiang", " "]})
    assert out["region"] == ["Zhejiang", "浙江"]


def test_city_alone_names_its_province() -> None:
    assert region_of("深圳市南山区") == "广东"
    assert region_of("中国 北京市朝阳区") == "北京"
    assert region_of("Hauptstraße 1, Berlin") is None


def test_id_that_is_a_phone_or_mail_is_hashed_alike_in_every_table() -> None:
    people = Pseudonymiser(KEY, "CN")
    orders = people.batch(pa.table({"customer_id": ["13812345678", "li@b.cn", "17850", None]}), TABLES["orders"])
    customers = people.batch(pa.table({"customer_id": ["138 1234 5678"], "phone": ["+8613812345678"]}), CUSTOMERS)
    ids = orders["customer_id"].to_pylist()
    assert ids[0] == customers["customer_id"][0].as_py() == customers["phone_hash"][0].as_py()
    assert ids[1] == people.hash_of("LI@b.cn", "mail")
    assert ids[2:] == ["17850", None]
    assert people.hashed_ids["orders", "customer_id", "phone"] == 1
    assert people.hashed_ids["orders", "customer_id", "mail"] == 1


def test_order_number_of_eleven_digits_stays() -> None:
    arrived = pa.table({"order_id": ["13812345678"], "customer_id": ["4"]})
    assert Pseudonymiser("", "CN").batch(arrived, TABLES["orders"]).to_pydict() == arrived.to_pydict()


def test_key_is_asked_for_only_when_something_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBOOK_KEY", raising=False)
    keyless = Pseudonymiser("${WORKBOOK_KEY}", "CN")
    keyless.batch(pa.table({"customer_id": ["1"], "name": ["x"], "birth_date": ["1990-01-01"]}), CUSTOMERS)
    with pytest.raises(WorkbookError, match=r"customers\.mail must be hashed.*WORKBOOK_KEY is not set") as error:
        keyless.batch(pa.table({"mail": ["a@b.cn"]}), CUSTOMERS)
    assert "export WORKBOOK_KEY" in error.value.way_out
    monkeypatch.setenv("WORKBOOK_KEY", "short")
    with pytest.raises(WorkbookError, match="shorter than 16"):
        Pseudonymiser("${WORKBOOK_KEY}").batch(pa.table({"mail": ["a@b.cn"]}), CUSTOMERS)


def test_phone_without_country_is_refused_with_the_way_out() -> None:
    with pytest.raises(WorkbookError, match=r"customers\.phone holds phones without a country code") as error:
        Pseudonymiser(KEY).batch(pa.table({"phone": ["13812345678"]}), CUSTOMERS)
    assert "13812345678" not in str(error.value) and "phone_country" in error.value.way_out


def test_unknown_country_is_refused() -> None:
    with pytest.raises(WorkbookError, match="'UK' is no country"):
        Pseudonymiser(KEY, "UK")


def test_another_key_reads_everything_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old hashes would not join with new ones, and one person would be two."""
    (tmp_path / "c.csv").write_text("customer_id,mail\n1,a@b.cn\n")
    (tmp_path / "o.csv").write_text("customer_id,ordered_at,amount\na@b.cn,2026-01-05,2.50\n")
    (tmp_path / "workbook.yaml").write_text(
        "name: x\nsources: [{table: customers, path: c.csv}, {table: orders, path: o.csv}]\n")
    settings = load_settings(tmp_path)
    store = Store(settings.store_folder)

    def ids(key: str) -> tuple[int, str, str]:
        monkeypatch.setenv("WORKBOOK_KEY", key)
        read = collect(settings, store, progress=False).read
        tables = [pq.read_table(store.files(f"raw/{name}")[0]) for name in ("customers", "orders")]
        return read, tables[0]["mail_hash"][0].as_py(), tables[1]["customer_id"][0].as_py()

    first, same, other = ids(KEY), ids(KEY), ids(KEY[::-1])
    assert first[0] == 2 and first[1] == first[2]
    assert same == (0, *first[1:])
    assert other[0] == 2 and other[1] == other[2] != first[1]


def test_key_never_shows(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_KEY", KEY)
    (tmp_path / "workbook.yaml").write_text("name: x\nsources: [{table: orders, path: o.csv}]\n")
    settings = load_settings(tmp_path / "workbook.yaml")
    made = Pseudonymiser.of(settings)
    made.batch(pa.table({"mail": ["a@b.cn"]}), CUSTOMERS)
    assert KEY not in repr(made) and KEY not in repr(settings)


@given(st.lists(st.one_of(st.none(), st.text(max_size=30)), max_size=20))
def test_no_text_breaks_it_and_no_original_passes(texts: list[str | None]) -> None:
    names = ("name", "phone", "mail", "address", "birth_date")
    arrived = pa.table({name: pa.array(texts, pa.string()) for name in names})
    result = Pseudonymiser(KEY, "CN").seal(arrived, CUSTOMERS)
    assert result.table.num_rows == len(texts)
    for name in ("phone_hash", "mail_hash"):
        assert all(value is None or re.fullmatch("[0-9a-f]{32}", value) for value in result.table[name].to_pylist())


@given(st.integers(13_000_000_000, 19_999_999_999), st.sampled_from(["{}", "+86{}", "+86 {}", " {}", "{}.0"]))
def test_ways_of_writing_a_number_give_one_hash(number: int, way: str) -> None:
    people = Pseudonymiser(KEY, "CN")
    plain = str(number)
    spaced = f"{plain[:3]} {plain[3:7]} {plain[7:]}"
    assert people.hash_of(way.format(plain), "phone") == people.hash_of(spaced, "phone")


# --- masks -------------------------------------------------------------------------------------


def test_quarantine_shows_the_shape_of_a_personal_value() -> None:
    assert mask("Li 张 138-1234-567x", "phone") == "xx 文 999-9999-999x"
    assert mask("São Paulo", "address") == "xxx xxxxx"
    assert mask(None, "phone") == ""
    assert len(mask("1" * 500, "phone")) == 40


def test_quarantine_shows_other_values_but_for_their_personal_parts() -> None:
    assert mask("12,5o", "") == "12,5o"
    assert mask("see a@b.cn", "") == "see [mail]"


@pytest.mark.parametrize(
    "harmless",
    [
        "order 536365 of 2026-03-05 came late", "two of 12.50 and one of 1,299.00", "at 2021-01-01 00:00:00",
        "sizes 38 39 40", "since 1998", "3/12/2026 again", "尺码 42 偏小，客服很好", "100% cotton, 30 °C",
    ],
)  # fmt: skip
def test_harmless_text_stays(harmless: str) -> None:
    assert mask_text(harmless) == harmless


def test_masking_keeps_the_text_around() -> None:
    assert mask_text("请联系１３８１２３４５６７８或 wx：abc_123，谢谢") == "请联系[phone]或 wx：[account]，谢谢"
    assert mask_text("卡号 6222 0212 3456 7890 123") == "卡号 [card]"
    assert mask_text("身份证11010519491231002X") == "身份证[id]"


def corpus(n: int = 3000) -> list[tuple[str, str, str]]:
    """(kind, text with one personal value of that kind, the value), in the ways in which people write them."""
    rng = random.Random(20261122)

    def digits(k: int) -> str:
        return "".join(rng.choice("0123456789") for _ in range(k))

    def mobile() -> str:
        number = f"1{rng.choice('3456789')}{digits(9)}"
        parts = number[:3], number[3:7], number[7:]
        return rng.choice([number, "-".join(parts), " ".join(parts), f"+86{number}", f"+86 {number}",
                           "".join("０１２３４５６７８９"[int(d)] for d in number),
                           "".join("零一二三四五六七八九"[int(d)] for d in number)])

    def western() -> str:
        return rng.choice([f"+44 7{digits(3)} {digits(6)}", f"({rng.randint(201, 989)}) {digits(3)}-{digits(4)}",
                           f"+1-{rng.randint(201, 989)}-{digits(3)}-{digits(4)}", f"0{rng.randint(10, 99)}-{digits(8)}",
                           f"07{digits(3)} {digits(6)}", f"+49 {rng.randint(150, 179)} {digits(7)}"])

    def mail() -> str:
        name = rng.choice(["li.ming", "jane_roe", "z3", "info+shop", "王小明", "A-B"])
        host = rng.choice(["example.com", "mail.example.co.uk", "qq.com", "sub-domain.example.org"])
        return rng.choice([f"{name}@{host}", f"{name} @ {host}", f"{name}(at){host}", f"{name}＠{host}"])

    def resident() -> str:
        return f"{rng.randint(110000, 659999)}{rng.randint(1940, 2005)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}" \
               f"{digits(3)}{rng.choice('0123456789X')}"

    def card() -> str:
        number = f"{rng.choice('456')}{digits(rng.choice([15, 18]))}"
        return rng.choice([number, " ".join(re.findall(".{1,4}", number)), "-".join(re.findall(".{1,4}", number))])

    def account() -> str:
        return rng.choice(["微信号：", "微信", "wechat: ", "WX ", "vx:", "QQ:", "QQ号 ", "支付宝 "]) + rng.choice(
            ["abc_1234", "zhang.san88", "shop-88888", "Li_Ming_2020"])

    makers = [mobile, western, mail, resident, card, account]
    around = ["please call {} after six", "联系{}，谢谢", "{}", "My contact: {}.", "包裹没到，请打{}，急！",
              "re {} (home)", "order 536365, {}, size 42", "电话{}地址不变"]
    found = []
    for _ in range(n):
        make = rng.choice(makers)
        found.append((make.__name__, make(), rng.choice(around)))
    return [(kind, around.format(value), value) for kind, value, around in found]


def test_measured_recall_of_masking() -> None:
    """The share of personal values of which no run of five or more characters is left."""
    caught: dict[str, list[bool]] = {}
    for kind, text, value in corpus():
        masked = re.sub(r"\[\w+\]", " ", mask_text(text))
        core = value.split("：")[-1].split(":")[-1].split(" ")[-1] if kind == "account" else value
        left = any(core[i:i + 5] in masked for i in range(max(1, len(core) - 4)))
        caught.setdefault(kind, []).append(not left)
    recall = {kind: sum(hits) / len(hits) for kind, hits in caught.items()}
    assert all(share >= 0.99 for share in recall.values()), recall
    assert sum(map(sum, caught.values())) / sum(map(len, caught.values())) >= 0.995
