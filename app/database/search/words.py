"""The words of the search index, in every script that people write; decided here alone.

Folded in Python, for what is indexed and for what is asked: SQLite only splits at the blanks
between the words, so both agree whatever its tokenizer knows of Unicode.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

BETWEEN_FIELDS = '\ue001'  # for private use: no text has it left; no phrase reaches over it

# The signs of scripts that write no blanks, each of them a word with the marks on it: Thai, Lao,
# Burmese, Khmer, Tai, Balinese, Javanese, Chinese, Japanese, Yi; and Korean, which adds endings.
APART = (
    r'\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\u3005-\u3007'
    r'\u3040-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf'
    r'\ua980-\ua9ff\uaa60-\uaadf\uac00-\ud7af\uf900-\ufaff\U0001b000-\U0001b16f'
    r'\U00020000-\U0003ffff'
)
# By canonical combining class: vowel signs, sound marks of kana, viramas, Thai and Lao tones are
# letters to those who write them. Points of Hebrew and Arabic, nuktas and accents may be left out.
_KEPT_MARKS = (0, 8, 9, *range(84, 133))
# Invisible, and no `Cf`: fillers and variation selectors. Source: DerivedCoreProperties.txt,
# Default_Ignorable_Code_Point.
_INVISIBLE = (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10))
_TAGS = range(0xE0000, 0xE1000)  # as they are: each number of a tuple would take 36 bytes
_JOINER = '\u200d'  # makes one emoji of several
_TOGETHER = '\x1f'  # ours, for it
_EMOJI = range(0x1F000, 0x1FC00)  # of a newer Unicode than Python's too
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_KATAKANA, _TO_HIRAGANA = range(0x30A1, 0x30F7), -0x60
_BLANKS = {code: ' ' for code in range(128) if not chr(code).isalnum()}
_LETTERS = {
    'æ': 'ae',
    'œ': 'oe',
    'þ': 'th',
    **dict(zip('ðŋĸıȷəǝɛɔʉ', 'dnkijeeeou', strict=True)),
    **dict.fromkeys('ʹʺʻʽʾʿـ', ''),
    'ʼ': ' ',  # as the apostrophe of ASCII
    # one letter, as different keyboards of Arabic letters have it
    **dict(zip('ٱىیکةہھە', 'اييكهههه', strict=True)),
    # final letters as they were written before they had a code: with a virama and a joiner
    **dict(zip('ൺൻർൽൾൿৎ', ('ണ്', 'ന്', 'ര്', 'ല്', 'ള്', 'ക്', 'ত্'), strict=True)),
    **dict(zip('ँঁઁ', 'ंংં', strict=True)),  # the sign of a nasal: many write its simple one
}
_SHORT_I = ('и\u0306', 'й')  # a letter of its own to those who write it, and to their endings
_LOOKALIKES = ('เเ', 'แ')  # one vowel of Thai, typed as another one twice


def index_words(*fields: str | None) -> str:
    """Return the words to index of some texts, separated by blanks."""
    return f' {BETWEEN_FIELDS} '.join(
        ' '.join(_words().findall(_plain(text))) for text in fields if text
    )


def runs_in(text: str) -> list[list[str]]:
    """Return the words of what a person typed, together those that must stand together.

    These are signs of a script without blanks. Whatever else was typed has no meaning to FTS5.
    """
    return [words for run in _plain(text).split(' ') if (words := _words().findall(run))]


@cache  # not compiled here: that takes a start 3 ms
def _words() -> re.Pattern[str]:
    # behind a sign that stands apart, what is no letter is a mark on it
    return re.compile(rf'[{APART}][^\w {_TOGETHER}]*|[^{APART} {_TOGETHER}]+')


@cache
def _flags() -> re.Pattern[str]:
    return re.compile(f'[{chr(_FLAG_LETTERS[0])}-{chr(_FLAG_LETTERS[-1])}]{{2}}')


def _plain(text: str) -> str:
    """Return a text folded, with blanks between what can be found alone."""
    if text.isascii():
        return text.lower().translate(_BLANKS)
    # a trade mark would become letters of the word before it
    marked = text.replace('™', ' ').replace(*_LOOKALIKES)
    plain = unicodedata.normalize('NFKD', unicodedata.normalize('NFKD', marked).casefold())
    plain = plain.replace(*_SHORT_I)
    plain = _flags().sub(r' \g<0> ', plain)
    folded = ''.join(map(_folded, plain)).replace(f' {_JOINER} ', _TOGETHER)
    return unicodedata.normalize('NFC', folded.replace(_JOINER, ''))


@lru_cache(8192)
def _folded(sign: str) -> str:
    """Return what a decomposed sign of a text is found by: itself, others, a blank, nothing."""
    code, kind = ord(sign), unicodedata.category(sign)
    if sign == _JOINER or code in _FLAG_LETTERS:
        return sign
    if kind == 'Cf' or any(code in kept for kept in (_INVISIBLE, _TAGS, _SKIN_TONES)):
        return ''
    if sign in _LETTERS:
        return _LETTERS[sign]
    if kind[0] == 'M':
        is_kept = kind != 'Me' and unicodedata.combining(sign) in _KEPT_MARKS
        return sign if is_kept else ''
    if kind == 'Nd':
        return str(unicodedata.decimal(sign))
    if kind[0] in 'LN':
        return _base_of(sign)
    is_picture = code in _EMOJI or (kind == 'So' and code > 0xFF)  # not ° and ©
    return f' {sign} ' if is_picture else ' '


def _base_of(letter: str) -> str:
    """Return the letter that another is a form of, by a stroke or a hook, as its name says."""
    code = ord(letter)
    if code in _KATAKANA:
        return chr(code + _TO_HIRAGANA)
    name = unicodedata.name(letter, '')
    if not name.startswith(('LATIN', 'CYRILLIC')):
        return letter
    plain = name.partition(' WITH ')[0].replace('LETTER SMALL CAPITAL', 'SMALL LETTER')
    try:
        return unicodedata.lookup(plain)
    except KeyError:
        return letter
