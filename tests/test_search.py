"""Prompts in every script, what people type to find them, and what must not be found by it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from app.database import Library
from app.database.gallery.filters import Filter
from tests.support.rows import pictured
from tests.support.servers import ROOT

SHARED = json.loads((ROOT / 'tests/data/field/search_pairs.json').read_text(encoding='utf-8'))
FOUND = [
    *[(pair['prompt'], pair['q']) for pair in SHARED],
    # emoji: skin tones and presentation are like accents, a joined one is one
    ('🦊 sits in snow', '🦊 snow'),
    ('a fox🦊in snow', '🦊'),
    ('a fox🦊in snow', 'fox'),
    ('wave 👋🏽 at me', '👋'),
    ('wave 👋 at me', '👋🏿'),
    ('❤️ on a wall', '❤'),
    ('❤ on a wall', '❤️'),
    ('an 👩‍🚀 in space', '👩‍🚀'),
    ('an 👩‍🚀 in space', '👩'),
    ('flags 🇫🇷🇯🇵🇵🇱', '🇯🇵'),
    ('press 1️⃣ now', '1'),
    ('🫩 is newer than Python', '🫩'),
    ('★ and ♥', '♥'),
    # what nobody sees
    ('a ca\u200bthedral', 'cathedral'),
    ('a ca\u00adthedral', 'cathedral'),
    ('a cathedral', 'ca\u00adthe\u2060dral'),
    ('a ca\ufe0ft\u034f\ufeff\u200e', 'cat'),
    ('می\u200cروم', 'میروم'),
    ('a\u00a0cat\u2003sleeps', 'cat sleeps'),
    # scripts without blanks
    ('แมวสีส้มนอนบนโซฟา', 'แมว'),
    ('แมวสีส้มนอนบนโซฟา', 'สีส้ม'),
    ('แมวสีส้มนอนบนโซฟา', 'โซฟา แมว'),
    ('ແມວສີສົ້ມນອນ', 'ສີສົ້ມ'),
    ('ឆ្មាពណ៌ទឹកក្រូច', 'ពណ៌'),
    ('လိမ္မော်ရောင်ကြောင်', 'ကြောင်'),
    ('雪の中の狐', '狐'),
    ('雪の中の狐', '雪の'),
    ('サクラ', 'さくら'),
    ('ﾊﾟﾝ', 'パン'),
    ('一只橙色的猫', '橙色'),
    ('𠮷野家', '𠮷野'),
    ('고양이가 잔다', '고양이'),
    ('高い東京タワー', '東京タワー'),
    # signs on letters: points that may be left out, and vowels that may not
    ('शेर और हिन्दी', 'हिन्दी'),
    ('फ़िल्म का पोस्टर', 'फिल्म'),
    ('বাংলা বিড়াল', 'বিড়াল'),
    ('தமிழ் பூனை', 'பூனை'),
    ('שָׁלוֹם עולם', 'שלום'),
    ('שלום', 'שָׁלוֹם'),
    ('قِطَّةٌ بَيْضَاء', 'قطة'),
    ('قطه بيضاء', 'قطة'),
    ('إسلام', 'اسلام'),
    ('گربه‌ی سیاه', 'سياه'),
    ('مـــدينة', 'مدينة'),
    ('Đà Nẵng về đêm', 'da nang'),
    ('Тёмный лес', 'темный'),
    ('ΑΓΓΕΛΟΣ στο φως', 'άγγελος'),
    # letters that do not decompose
    ('Łódź', 'LODZ'),
    ('smørrebrød på Ærø', 'smorrebrod aero'),
    ('Straße im Regen', 'strasse'),
    ('STRASSE', 'straße'),
    ('Iğdır ve ISPARTA', 'igdir isparta'),
    ('ışık', 'isik'),
    ('Þórr and Hafnarfjörður', 'thorr hafnarfjordur'),
    ('cœur', 'coeur'),
    ('Ħal Għaxaq', 'hal ghaxaq'),
    ('Azərbaycan', 'azerbaycan'),
    ('қазақ', 'казак'),
    ('Hawaiʻi', 'hawaii'),
    # other forms of the same
    ('𝓕𝓪𝓷𝓬𝔂 fox', 'fancy'),
    ('ＦＵＬＬ width', 'full'),
    ('ꜰᴀɴᴄʏ fox', 'fancy'),
    ('Brand™ shoes', 'brand shoes'),
    ('ﬁgure', 'figure'),
    ('in ٢٠٢٤', '2024'),
    ('360° view', '360 view'),
    # typed in other ways
    ('เเมวสีส้ม', 'แมว'),
    ('चाँद', 'चांद'),
    ('ന്‍', 'ൻ'),
    ('ত্‍', 'ৎ'),
    ('пʼять', "п'ять"),
    ('п’ять', 'пʼять'),
    ("l'été", 'l’ete'),
    ('بِسْمِ ٱللَّهِ', 'بسم الله'),
    ('ﻗﻄﺔ', 'قطة'),
    ('בית־ספר', 'בית ספר'),
    ('佐々木', '佐々木'),
    ('猫cat犬', 'cat'),
    ('ｺｰﾋｰ', 'コーヒー'),
    ('한글', '한글'),
    ('👨‍👩‍👧‍👦 family', '👨‍👩‍👧‍👦'),
    ('🧑🏻‍🤝‍🧑🏿', '🧑‍🤝‍🧑'),
    ('in C++ at 50%', 'C++ 50%'),
    ('#tag a_b', '#tag b'),
    ('<lora:x:1> (cat:1.2)', 'lora:x cat'),
    ('İstanbul', 'ISTANBUL'),
    ('Երևան', 'երեւան'),
    ('ᲗᲑᲘᲚᲘᲡᲘ', 'თბილისი'),
    ('concatenate', 'conc'),
    # forms of a word
    ('a red fox', 'red foxes'),
    ('two foxes', 'fox'),
    ('a painted lighthouse', 'painting lighthouses'),
    ('замки у моря', 'замков море'),
    ('красная лиса', 'красной лисы'),
    ('ёлки', 'елкой'),
]  # fmt: skip
NOT_FOUND = [
    ('concatenate', 'cat'),
    ('a red fox', 'red foxtrot'),
    ('белый снег', 'белыи'),
    ('a fox in snow', 'sno fox'),
    ('a fox', '🦊'),
    ('🦊 in snow', '🐺'),
    ('👩 and 🚀', '👩‍🚀'),
    ('flag 🇦🇺🇸🇪', '🇺🇸'),
    ('flag 🇯🇵', '🇵🇱'),
    ('ca\u200bthedral', 'thedral'),
    ('แมวสีส้ม', 'สีแดง'),
    ('ป่าสน', 'ป้า'),
    ('ลมแรง', 'แมว'),
    ('東京', '京東'),
    ('ハンが', 'パン'),
    ('हिन्दी', 'हन्द'),
    ('कमल', 'कमला'),
    ('שלום', 'שלוש'),
    ('قطة', 'قط كلب'),
    ('Łódź', 'dol'),
    ('Straße', 'strase'),
    ('여우', '여자'),
    ('かき', 'がき'),
    ('ไก่', 'ไข่'),
    ('น้ำ', 'นำ'),
    ('कि', 'का'),
    ('мʼята', 'мята'),
    ('❤', '💔'),
    ('50%', '500'),
    ('a fox', '\u200b'),
    ('a fox', '…'),
]  # fmt: skip


async def found_by(
    prompts: Sequence[str], questions: Sequence[str], folder: Path
) -> list[set[str]]:
    library = await Library.open(folder / 'easel.db')
    ids = {(await pictured(library, prompt)).id: prompt for prompt in dict.fromkeys(prompts)}
    found = [
        {ids[image.id] for image in await library.images.page(Filter(words=asked), None, 500)}
        for asked in questions
    ]
    await library.close()
    return found


async def test_a_prompt_is_found_as_people_type_it(tmp_path: Path) -> None:
    prompts, questions = zip(*FOUND, strict=True)

    found = await found_by(prompts, questions, tmp_path)

    assert [
        pair for pair, prompts in zip(FOUND, found, strict=True) if pair[0] not in prompts
    ] == []


async def test_another_word_is_not_taken_for_it(tmp_path: Path) -> None:
    prompts, questions = zip(*NOT_FOUND, strict=True)

    found = await found_by(prompts, questions, tmp_path)

    assert [
        pair for pair, prompts in zip(NOT_FOUND, found, strict=True) if pair[0] in prompts
    ] == []


async def test_every_prompt_is_found_by_itself(tmp_path: Path) -> None:
    prompts = list(dict.fromkeys(prompt for prompt, _ in (*FOUND, *NOT_FOUND)))

    found = await found_by(prompts, prompts, tmp_path)

    assert [prompt for prompt, own in zip(prompts, found, strict=True) if prompt not in own] == []
