"""Read what a prompt asks of a sketch: the time, the weather, the ground and the rest."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import TypeVar


class Time(Enum):
    """The hour, which decides the palette."""

    DAWN = auto()
    DAY = auto()
    SUNSET = auto()
    DUSK = auto()
    NIGHT = auto()


class Weather(Enum):
    """What is in the air."""

    CLEAR = auto()
    CLOUDS = auto()
    RAIN = auto()
    SNOW = auto()
    FOG = auto()


class Ground(Enum):
    """What the land is made of."""

    MOUNTAINS = auto()
    HILLS = auto()
    FOREST = auto()
    DESERT = auto()
    CITY = auto()
    SEA = auto()
    SPACE = auto()


class Thing(Enum):
    """What can stand in a landscape besides the landscape."""

    WATER = auto()
    LIGHTHOUSE = auto()
    AURORA = auto()
    WINTER = auto()
    AUTUMN = auto()


_Kind = TypeVar('_Kind')

_TIMES = {
    Time.DAWN: 'dawn sunrise morning рассвет* утр* восход*',
    Time.SUNSET: 'sunset golden закат*',
    Time.DUSK: 'dusk twilight evening сумер* вечер*',
    Time.NIGHT: 'night* midnight neon cyberpunk moon* star stars starry aurora* '
    'ноч* полноч* лун* звезд* звёзд*',
    Time.DAY: 'day noon sunny summer spring день днём днем полдень солнеч* лет* весн*',
}
_WEATHER = {
    Weather.RAIN: 'rain rains rainy raining rainfall storm* thunder* shower* '
    'дожд* ливень ливня гроз*',
    Weather.SNOW: 'snow* blizzard* whiteout снег* снеж* метел* вьюг*',
    Weather.FOG: 'fog* mist* haz* туман* дымк*',
    Weather.CLOUDS: 'cloud* overcast облак* облач* туч* пасмурн*',
    Weather.CLEAR: 'clear calm ясн*',
}
_GROUNDS = {
    Ground.SPACE: 'space cosmos cosmic galax* planet* nebula* astronaut* космос* космич* космон* '
    'галакти* планет* туманност*',
    Ground.CITY: 'city cities town street* skyline downtown urban cyberpunk neon skyscraper* '
    'город* улиц* небоскр* мегаполис*',
    Ground.DESERT: 'desert* dune* sahara mars camel* пустын* дюн* барха* марс*',
    Ground.FOREST: 'forest* wood woods woodland* pine* taiga jungle* лес леса лесу лесн* тайг* '
    'сосн* ель ели бор джунгл*',
    Ground.MOUNTAINS: 'mountain* peak* alps alpine ridge* summit* glacier* volcano* polar гора '
    'горы гор горах горн* вершин* альп* хреб* вулкан* ледник*',
    Ground.SEA: 'sea seas ocean* harbour* harbor* beach* coast* wave* ship* island* sail* bay '
    'lighthouse* море моря морск* океан* гаван* пляж* берег* волн* остров* залив* корабл* маяк*',
    Ground.HILLS: 'hill* meadow* field* valley* farm* garden* холм* луг* поле поля долин* сад саду '
    'flower* poppy poppies tulip* lavender blossom* cat cats kitten* цвет* маки тюльпан* кот кошк*',
}
_THINGS = {
    Thing.WATER: 'lake* river* reflection* pond* озер* озёр* рек* река отражен* пруд* '
    'lighthouse* boat* sail* ship* yacht* маяк* лодк* парус* корабл* яхт*',
    Thing.LIGHTHOUSE: 'lighthouse* маяк*',
    Thing.AURORA: 'aurora* сияни*',
    Thing.WINTER: 'winter* snow* frozen ice icy whiteout polar зим* снег* снеж* лёд льд* мороз*',
    Thing.AUTUMN: 'autumn* fall осен*',
}
_HUES = {
    25.0: 'red crimson scarlet vermilion красн* алый алая алое алые багров*',
    52.0: 'orange amber copper оранж* рыж* янтар*',
    92.0: 'yellow gold жёлт* желт* золот*',
    148.0: 'green emerald jade зелён* зелен* изумруд*',
    192.0: 'teal turquoise mint бирюз* мятн*',
    222.0: 'cyan azure голуб* лазур*',
    258.0: 'blue indigo син*',
    305.0: 'purple violet lavender lilac фиолет* лилов* сирен*',
    352.0: 'pink rose magenta sakura розов*',
}
_GREYS = 'white black grey gray monochrome silver бел* чёрн* черн* сер* серебр*'
_USUAL_GROUNDS = (
    *((Ground.MOUNTAINS, False), (Ground.MOUNTAINS, True), (Ground.MOUNTAINS, True)),
    *((Ground.HILLS, False), (Ground.FOREST, False), (Ground.FOREST, True)),
    *((Ground.DESERT, False), (Ground.SEA, True), (Ground.SEA, True)),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """One landscape in words; hues are OKLCH degrees, in the order the prompt names them."""

    time: Time
    weather: Weather
    ground: Ground
    things: frozenset[Thing]
    world_hues: tuple[float, ...]
    accent_hues: tuple[float, ...]
    grey: bool

    @property
    def water(self) -> bool:
        """Whether the land ends at a sheet of water."""
        return Thing.WATER in self.things

    @property
    def dark(self) -> bool:
        """Whether lamps are lit."""
        return self.time in {Time.DUSK, Time.NIGHT}


def read_scene(prompt: str, rng: Random) -> Scene:
    """Read the known words, and choose at random what they leave open."""
    words = re.findall(r'\w+', prompt.lower())
    things = set(_named(words, _THINGS))
    ground, water = _ground(words, rng)
    if water:
        things.add(Thing.WATER)
    times = _named(words, _TIMES)
    weathers = _named(words, _WEATHER)
    hues = tuple(_named(words, _HUES))
    carried = Thing.LIGHTHOUSE in things
    return Scene(
        time=times[0] if times else _usual_time(weathers, rng),
        weather=weathers[0]
        if weathers
        else rng.choice((Weather.CLEAR, Weather.CLEAR, Weather.CLOUDS)),
        ground=ground,
        things=frozenset(things),
        world_hues=hues[1:] if carried else hues,
        accent_hues=hues[:1] if carried else (),
        grey=any(_means(word, _GREYS.split()) for word in words) and not carried,
    )


def _named(words: list[str], table: Mapping[_Kind, str]) -> list[_Kind]:
    """Return the kinds that are named, in the order of the words."""
    found: list[_Kind] = []
    stems = {kind: text.split() for kind, text in table.items()}
    for word in words:
        found += [kind for kind in stems if kind not in found and _means(word, stems[kind])]
    return found


def _means(word: str, stems: list[str]) -> bool:
    """Return whether a word is one of the stems; a stem with a star also opens longer words."""
    return any(word.startswith(stem[:-1]) if stem[-1] == '*' else word == stem for stem in stems)


def _ground(words: list[str], rng: Random) -> tuple[Ground, bool]:
    """Choose the ground, and whether it meets water."""
    usual = rng.choice(_USUAL_GROUNDS)
    named = _named(words, _GROUNDS)
    if not named:
        things = _named(words, _THINGS)
        if Thing.AUTUMN in things or Thing.WINTER in things:
            return Ground.FOREST, False
        return usual
    solid = [ground for ground in named if ground is not Ground.SEA]
    if Ground.SEA not in named:
        return solid[0], False
    return (solid[0] if solid else Ground.SEA), True


def _usual_time(weathers: list[Weather], rng: Random) -> Time:
    if Weather.RAIN in weathers:
        return rng.choice((Time.DAY, Time.DUSK))
    return rng.choice((Time.DAWN, Time.DAWN, Time.DAY, Time.SUNSET, Time.SUNSET, Time.DUSK))
