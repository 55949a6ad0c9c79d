"""Read what a prompt asks of a sketch: the time, the weather, the ground and the rest."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import TypeVar

Time = Enum('Time', 'DAWN DAY SUNSET DUSK NIGHT')
Weather = Enum('Weather', 'CLEAR CLOUDS RAIN SNOW FOG')
Ground = Enum('Ground', 'MOUNTAINS HILLS FOREST DESERT CITY SEA')
Thing = Enum('Thing', 'WATER LIGHTHOUSE WINTER AUTUMN')
_Kind = TypeVar('_Kind')

# A word with a star also opens longer words.
_TIMES = {
    Time.DAWN: 'dawn sunrise morning рассвет* утр* восход*',
    Time.SUNSET: 'sunset golden закат*',
    Time.DUSK: 'dusk twilight evening сумер* вечер*',
    Time.NIGHT: 'night* midnight neon cyberpunk moon* star stars starry aurora* space galax* '
    'ноч* полноч* лун* звезд* звёзд* космос* галакти*',
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
_GREYS = {True: 'white black grey gray monochrome silver бел* чёрн* черн* сер* серебр*'}
_SEPIA = {True: 'sepia сепи*'}
_USUAL_TIMES = (Time.DAWN, Time.DAWN, Time.DAY, Time.SUNSET, Time.SUNSET, Time.DUSK)
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
    world_hues: list[float]
    accent_hue: float
    grey: bool

    @property
    def water(self) -> bool:
        return Thing.WATER in self.things

    @property
    def winter(self) -> bool:
        return Thing.WINTER in self.things

    @property
    def dark(self) -> bool:
        return self.time in {Time.DUSK, Time.NIGHT}


def read_scene(prompt: str, rng: Random) -> Scene:
    """Read the known words, and choose at random what they leave open."""
    words = _words_of(prompt)
    things, hues = _named(words, _THINGS), _named(words, _HUES)
    grounds = _named(words, _GROUNDS)
    ground, meets_water = rng.choice(_USUAL_GROUNDS)
    if grounds:
        solid = [one for one in grounds if one is not Ground.SEA]
        ground, meets_water = (solid or grounds)[0], Ground.SEA in grounds
    elif Thing.AUTUMN in things or Thing.WINTER in things:
        ground, meets_water = Ground.FOREST, False
    weathers = _named(words, _WEATHER)
    usual_times = (Time.DAY, Time.DUSK) if Weather.RAIN in weathers else _USUAL_TIMES
    times = _named(words, _TIMES) or [rng.choice(usual_times)]
    weathers = weathers or [rng.choice((Weather.CLEAR, Weather.CLEAR, Weather.CLOUDS))]
    banded = Thing.LIGHTHOUSE in things  # its bands take the first colour
    return Scene(
        time=times[0],
        weather=weathers[0],
        ground=ground,
        things=frozenset([*things, Thing.WATER] if meets_water else things),
        world_hues=hues[1:] if banded else hues,
        accent_hue=hues[0] if banded and hues else 25.0,
        grey=bool(_named(words, _GREYS)) and not banded,
    )


def names_scene(prompt: str) -> bool:
    """Return whether a prompt names a time, a weather, a ground or a thing of a landscape."""
    words = _words_of(prompt)
    read = (_named(words, _TIMES), _named(words, _WEATHER), _named(words, _GROUNDS))
    return any(read) or bool(_named(words, _THINGS))


def named_hues(prompt: str) -> list[float]:
    """Return the hues that a prompt names, in its order, as OKLCH degrees."""
    return _named(_words_of(prompt), _HUES)


def names_grey(prompt: str) -> bool:
    return bool(_named(_words_of(prompt), _GREYS))


def names_sepia(prompt: str) -> bool:
    return bool(_named(_words_of(prompt), _SEPIA))


def _words_of(prompt: str) -> list[str]:
    return re.findall(r'\w+', prompt.lower())


def _named(words: list[str], table: Mapping[_Kind, str]) -> list[_Kind]:
    """Return the kinds that are named, in the order of the words."""
    patterns = {
        kind: re.compile(text.replace('*', r'\w*').replace(' ', '|'))
        for kind, text in table.items()
    }
    found = [kind for word in words for kind in patterns if patterns[kind].fullmatch(word)]
    return list(dict.fromkeys(found))
