"""Everything that is claimed of Easel's safety, counted: hits, faults, scripts, seconds, memory.

Run as `python -m bench.safety [--seed N] [--only PART …]`; each part says its seed and how long it
took. The whole takes about half an hour; `--requests`, `--texts`, `--files`, `--connections` and
`--seconds` make it shorter or longer.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from bench.measure import Claim, judge
from tests.support.browser_origins import running_worlds
from tests.support.fuzz_requests import shots
from tests.support.hostile_data import hostile_provider, stuffed_with, write_folder
from tests.support.raw_requests import open_door
from tests.support.request_fuzzer import Fired, fire, fire_raw, furnish, targets
from tests.support.script_payloads import SEED, payloads
from tests.support.secret_canary import hits, lived
from tests.support.servers import CLOSED_PORT_URL, ROOT, executed, running_easel
from tests.support.text_places import Seen, look_at, sights

TEXTS_A_PAGE = 50
RAW_SHARE = 20  # one request in so many goes over a socket besides
# Proofs that are whole tests: what they are, and where.
TESTED = {
    'addresses': ('test_spellings', 'test_dialing', 'test_wrong_hosts', 'test_networks'),
    'hosts': ('test_hosts', 'test_rebinding'),
    'sites': ('test_cross_site', 'test_guard', 'test_doors', 'test_visitors'),
    'pages': ('test_evil_pages', 'test_active_content'),
    'incidents': (
        *('test_incidents_text', 'test_incidents_edge', 'test_incidents_files', 'test_smuggling'),
        *('test_files', 'test_hostile_texts', 'test_floors', 'test_hush'),
    ),
}


@dataclass(slots=True)
class Findings:
    """What was claimed and measured, and which parts failed as programs of their own."""

    claims: list[Claim] = field(default_factory=list)

    def none_of(self, name: str, count: int) -> None:
        """Claim that something did not happen."""
        self.claims.append(Claim(name, count, 0, ''))


def main() -> int:
    """Run what is chosen; exit status 1 if a claim does not hold."""
    parts: dict[str, Callable[[argparse.Namespace, Findings], None]] = {
        **{name: _tested(name) for name in TESTED},
        'requests': _requests,
        'scripts': _scripts,
        'secrets': _secrets,
        'pictures': _pictures,
        'slow': _slow,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--only', nargs='+', choices=parts, default=list(parts), metavar='PART')
    parser.add_argument('--seed', type=int, default=SEED)
    parser.add_argument('--requests', type=int, default=100_000)
    parser.add_argument('--texts', type=int, default=1_000)
    parser.add_argument('--files', type=int, default=1_000)
    parser.add_argument('--connections', type=int, default=500)
    parser.add_argument('--seconds', type=float, default=60.0)
    chosen, findings = parser.parse_args(), Findings()
    for name in chosen.only:
        began = time.monotonic()
        parts[name](chosen, findings)
        print(f'{name}: seed {chosen.seed}, {time.monotonic() - began:.0f} s\n', flush=True)
    return judge(findings.claims)


def _tested(name: str) -> Callable[[argparse.Namespace, Findings], None]:
    def test(_: argparse.Namespace, findings: Findings) -> None:
        files = [f'tests/{one}.py' for one in TESTED[name]]
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / 'report.xml'
            command = [sys.executable, '-m', 'pytest', '-q', f'--junitxml={report}', *files]
            subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
            suite = next(ElementTree.parse(report).iter('testsuite'))
        count = {what: int(suite.get(what, '0')) for what in ('tests', 'failures', 'errors')}
        print(
            f'{name}: {count["tests"]} proofs, {suite.get("skipped")} skipped: {", ".join(files)}'
        )
        findings.none_of(f'{name}: proofs that fail', count['failures'] + count['errors'])
        findings.none_of(f'{name}: no proof was run', int(count['tests'] == 0))

    return test


def _requests(chosen: argparse.Namespace, findings: Findings) -> None:
    fired, raw = asyncio.run(_fired(chosen.requests, chosen.seed))
    for name, one in (('in process', fired), ('over a socket', raw)):
        print(
            f'requests {name}: {sum(one.statuses.values())}, {dict(sorted(one.statuses.items()))}'
        )
        print(*one.faults[:5], sep='\n', end='\n' if one.faults else '')
        findings.none_of(f'requests {name}: answers of 500 and other faults', len(one.faults))


async def _fired(count: int, seed: int) -> tuple[Fired, Fired]:
    fired, raw = Fired(), Fired()
    with tempfile.TemporaryDirectory() as folder:
        async with open_door(Path(folder) / 'data') as (app, services):
            await furnish(services)
            addresses = targets(services)
            await fire(app, shots(addresses, count, seed), fired)
        with running_easel(
            Path(folder) / 'other', {'EASEL_API_URL': CLOSED_PORT_URL}, executed
        ) as easel:
            port = int(easel.url.rpartition(':')[2])
            await fire_raw(port, shots(addresses, count // RAW_SHARE, seed + 1), raw)
    return fired, raw


def _scripts(chosen: argparse.Namespace, findings: Findings) -> None:
    texts = payloads(chosen.texts, chosen.seed)
    stuffed = stuffed_with(texts, max(1, chosen.texts // TEXTS_A_PAGE), servers=chosen.texts)
    with tempfile.TemporaryDirectory() as folder, hostile_provider(stuffed) as url:
        data = Path(folder) / 'data'
        write_folder(data, stuffed, url)
        with running_worlds(data, {'EASEL_API_URL': f'{url}/0/v1'}) as worlds:
            for kind, where in worlds.urls.items():
                seen = Seen()
                look_at(worlds.browser, where, list(sights(stuffed)), seen)
                print(f'scripts, {kind}: {len(texts)} texts, {seen.pages} pages, '
                      f'{seen.texts} places compared')  # fmt: skip
                findings.none_of(f'scripts, {kind}: places that differ', len(seen.wrong))
                findings.none_of(f'scripts, {kind}: runs, dialogs, reports', len(seen.events))
                findings.none_of(f'scripts, {kind}: requests elsewhere', len(seen.outside))


def _secrets(_: argparse.Namespace, findings: Findings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        said = lived(Path(folder))
        found = hits(said)
    size = sum(len(content) for content in said.values())
    print(f'secrets: 5 of them, {len(said)} answers, logs and files of {size} bytes')
    print(*found[:5], sep='\n', end='\n' if found else '')
    findings.none_of('secrets: pieces found', len(found))


def _pictures(chosen: argparse.Namespace, findings: Findings) -> None:
    status = _bench('bench.hostile', '--files', chosen.files, '--seed', chosen.seed)
    findings.none_of('pictures: claims that fail', status)


def _slow(chosen: argparse.Namespace, findings: Findings) -> None:
    given = ('--connections', chosen.connections, '--seconds', chosen.seconds)
    findings.none_of('slow: claims that fail', _bench('bench.slow', *given, '--seed', chosen.seed))


def _bench(module: str, *arguments: object) -> int:
    command = [sys.executable, '-m', module, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == '__main__':
    sys.exit(main())
