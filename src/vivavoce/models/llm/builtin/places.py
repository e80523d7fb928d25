"""Where in the world: the names of cities and countries, and the time zones they keep.

Most come from the tz database itself (its zones' cities, its table of countries); the cities that give
no zone its name, and the countries with more than one zone, are listed here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

__all__ = ["Place", "find_place"]


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    """As it is said: "San Francisco", "the United States, by New York time"."""
    zone: ZoneInfo


_CITIES = {
    "Africa/Casablanca": "marrakesh, rabat, morocco",
    "Africa/Johannesburg": "cape town, durban, pretoria",
    "Africa/Lagos": "abuja",
    "Africa/Nairobi": "mombasa",
    "America/Argentina/Buenos_Aires": "buenos aires, rosario",
    "America/Bogota": "medellin",
    "America/Chicago": "dallas, houston, austin, san antonio, new orleans, minneapolis, milwaukee, st louis, "
    "saint louis, kansas city, memphis, nashville, oklahoma city, texas, illinois",
    "America/Denver": "salt lake city, albuquerque, colorado, utah",
    "America/Edmonton": "calgary",
    "America/Halifax": "nova scotia",
    "America/Los_Angeles": "san francisco, san diego, san jose, seattle, portland, las vegas, sacramento, oakland, "
    "silicon valley, california, hollywood, palo alto, oregon, nevada",
    "America/New_York": "washington, washington dc, washington d c, boston, philadelphia, miami, atlanta, orlando, "
    "baltimore, pittsburgh, cleveland, charlotte, columbus, new york city, brooklyn, manhattan, florida",
    "America/Sao_Paulo": "rio, rio de janeiro, brasilia",
    "America/Toronto": "ottawa, montreal, quebec",
    "America/Vancouver": "victoria",
    "Asia/Dubai": "abu dhabi, emirates",
    "Asia/Ho_Chi_Minh": "saigon, hanoi",
    "Asia/Jerusalem": "tel aviv, haifa",
    "Asia/Karachi": "lahore, islamabad",
    "Asia/Kolkata": "mumbai, bombay, delhi, new delhi, bangalore, bengaluru, chennai, madras, hyderabad, pune, "
    "ahmedabad, calcutta, goa, jaipur",
    "Asia/Riyadh": "jeddah, mecca",
    "Asia/Seoul": "busan, korea",
    "Asia/Shanghai": "beijing, peking, shenzhen, guangzhou, chengdu, wuhan, xian, nanjing",
    "Asia/Tokyo": "osaka, kyoto, nagoya, yokohama, sapporo",
    "Australia/Sydney": "canberra",
    "Australia/Brisbane": "gold coast, queensland",
    "Europe/Amsterdam": "rotterdam, the hague, holland, netherlands",
    "Europe/Berlin": "munich, hamburg, cologne, frankfurt, stuttgart, dusseldorf, leipzig, dresden",
    "Europe/Istanbul": "ankara, turkey",
    "Europe/London": "manchester, birmingham, liverpool, edinburgh, glasgow, oxford, cambridge, bristol, leeds, "
    "cardiff, england, scotland, wales, britain, great britain, united kingdom, uk, u k",
    "Europe/Madrid": "barcelona, valencia, seville, malaga, bilbao",
    "Europe/Moscow": "saint petersburg, st petersburg",
    "Europe/Paris": "lyon, marseille, nice, toulouse, bordeaux, strasbourg",
    "Europe/Prague": "czech republic",
    "Europe/Rome": "milan, naples, florence, venice, turin",
    "Europe/Stockholm": "gothenburg",
    "Europe/Warsaw": "krakow, gdansk",
    "Europe/Zurich": "geneva, basel, bern, lausanne",
    "Pacific/Honolulu": "hawaii",
    "UTC": "utc, gmt, greenwich",
}
_WIDE_COUNTRIES = {
    "America/New_York": "united states, united states of america, america, usa, us, u s, u s a",
    "America/Toronto": "canada",
    "America/Sao_Paulo": "brazil",
    "America/Mexico_City": "mexico",
    "Asia/Shanghai": "china",
    "Asia/Jakarta": "indonesia",
    "Australia/Sydney": "australia",
    "Europe/Moscow": "russia",
}
_INITIALS = {"usa", "us", "uk", "utc", "gmt", "dc"}
_WITH_ARTICLE = {
    "united states", "united states of america", "united kingdom", "netherlands", "philippines", "emirates", "usa",
    "us", "uk", "czech republic",
}  # fmt: skip


def find_place(words: Sequence[str]) -> Place | None:
    """The longest known name among the lower-case words; failing that, one that sounds much like it."""
    known = _known()
    spans = [(a, a + size) for size in (4, 3, 2, 1) for a in range(len(words) - size + 1)]
    phrases = [" ".join(words[a:b]) for a, b in spans]
    for phrase in phrases:
        if phrase in known:
            return known[phrase]
    for phrase in phrases:
        # Long names only: short words are like each other by chance.
        if len(phrase) >= 6 and (close := get_close_matches(phrase, known, n=1, cutoff=0.83)):
            return known[close[0]]
    return None


@cache
def _known() -> dict[str, Place]:
    """By name; what is said later here wins."""
    places = dict(_zone_cities())
    places.update(_countries())
    for zone, names in _CITIES.items():
        places.update({name: Place(_spoken(name), ZoneInfo(zone)) for name in names.split(", ")})
    for zone, names in _WIDE_COUNTRIES.items():
        by = f", by {zone.rpartition('/')[2].replace('_', ' ')} time"
        places.update({name: Place(_spoken(name) + by, ZoneInfo(zone)) for name in names.split(", ")})
    return places


def _zone_cities() -> Iterator[tuple[str, Place]]:
    for _codes, zone in _table("zone.tab", (0, 2)):
        city = zone.rpartition("/")[2].replace("_", " ")
        yield city.lower().replace("-", " "), Place(city, ZoneInfo(zone))


def _countries() -> Iterator[tuple[str, Place]]:
    """Those that keep one time."""
    zones: dict[str, list[str]] = {}
    for code, zone in _table("zone.tab", (0, 2)):
        zones.setdefault(code, []).append(zone)
    for code, name in _table("iso3166.tab", (0, 1)):
        if len(zones.get(code, ())) == 1:
            plain = name.partition("(")[0].strip().lower()
            yield plain, Place(_spoken(plain), ZoneInfo(zones[code][0]))
    for name, zone in {"germany": "Berlin", "spain": "Madrid", "portugal": "Lisbon", "ukraine": "Kyiv"}.items():
        yield name, Place(_spoken(name), ZoneInfo(f"Europe/{zone}"))
    yield "new zealand", Place("New Zealand", ZoneInfo("Pacific/Auckland"))


def _table(name: str, columns: tuple[int, int]) -> list[tuple[str, str]]:
    lines = (files("tzdata") / "zoneinfo" / name).read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [(row[columns[0]], row[columns[1]]) for row in rows]


def _spoken(name: str) -> str:
    article = "the " if name in _WITH_ARTICLE else ""
    return article + " ".join(
        word.upper()
        if word in _INITIALS or len(word) == 1
        else word
        if word in ("of", "de", "the")
        else word.capitalize()
        for word in name.split()
    )
