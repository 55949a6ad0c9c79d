"""One edit at a real server, with and without a mask: what was asked, and what changed outside it.

`python -m bench.edits http://localhost:1234/v1`; the server may charge for the pictures.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from app.errors import ProviderError
from app.models import Call
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.providers.core.base import Dialect, ProviderSettings, Run
from app.providers.provider import ApiProvider
from app.storage.edit_input import EditInput, SentMask, SentPicture
from app.storage.files import TempFile

CHANGED = 24  # of 255: a pixel that differs more is another one


def edit_of(folder: Path, side: int, *, masked: bool) -> EditInput:
    """Make a picture with a gradient, and a mask of its middle."""
    gradient = Image.linear_gradient('L').resize((side, side))
    source = Image.merge('RGB', (gradient, gradient.rotate(90), ImageChops.invert(gradient)))
    grey = Image.new('L', source.size, 0)
    grey.paste(255, (side // 4, side // 4, side * 3 // 4, side * 3 // 4))
    dual = Image.merge('RGBA', (grey, grey, grey, ImageChops.invert(grey)))
    mask = SentMask(grey=_sent(grey, folder / 'grey.png'), dual=_sent(dual, folder / 'dual.png'))
    return EditInput(sources=(_sent(source, folder / 'source.png'),), mask=mask if masked else None)


def _sent(picture: Image.Image, path: Path) -> SentPicture:
    picture.save(path)
    width, height = picture.size
    size_bytes = path.stat().st_size
    return SentPicture(
        path=path, mime='image/png', width=width, height=height, size_bytes=size_bytes
    )


def outside_of(edit: EditInput, got: Path) -> str:
    """Say which share of the pixels outside the mask is another one now."""
    if not edit.mask:
        return ''
    with Image.open(edit.sources[0].path) as source, Image.open(got) as made:
        if made.size != source.size:
            return f', of another size: {made.size}'
        differs = ImageChops.difference(source.convert('RGB'), made.convert('RGB')).convert('L')
    with Image.open(edit.mask.grey.path) as mask:
        kept = ImageChops.invert(mask)
        changed = differs.point(lambda value: 255 if value > CHANGED else 0)
        return f', changed outside the mask: {ImageStat.Stat(changed, kept).mean[0] / 255:.1%}'


async def run(
    settings: ProviderSettings, request: GenerationRequest, side: int, origins: list[str]
) -> None:
    http_client, calls = HttpClient(origins), list[Call]()
    provider = ApiProvider(settings, http_client)
    for masked in (False, True):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            edit = edit_of(folder, side, masked=masked)
            asked = replace(request, mask='0' * 64 if masked else None)
            calls.clear()
            what = 'with a mask' if masked else 'without a mask'
            try:
                result = await provider.generate(
                    asked, Run(partial(TempFile, folder / 'in'), calls.append, edit=edit)
                )
            except ProviderError as error:
                print(
                    f'{what}: {error.failure.kind}, {error.failure.words or error.failure.reason}'
                )
            else:
                outside = outside_of(edit, result.received[0].path)
                print(f'{what}: {len(result.received)} came, dropped {result.dropped}{outside}')
            for call in calls:
                print(
                    f'  {call.method} {call.url} {call.status} in {call.took_s:.1f} s {call.body}'
                )
    await http_client.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('base_url')
    parser.add_argument('--model', default='')
    parser.add_argument('--dialect', default='auto', choices=list(Dialect))
    parser.add_argument('--key')
    parser.add_argument('--side', type=int, default=64)
    parser.add_argument('--strength')
    parser.add_argument('--image-origin', action='append', default=[])
    given = parser.parse_args()
    settings = ProviderSettings(
        name='server',
        base_url=given.base_url,
        model=given.model,
        timeout_s=1_800,
        dialect=Dialect(given.dialect),
        key=given.key,
    )
    request = GenerationRequest(prompt='a red ball', strength=given.strength)
    asyncio.run(run(settings, request, given.side, given.image_origin))


if __name__ == '__main__':
    main()
