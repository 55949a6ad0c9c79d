"""Servers in Settings, over the real server: add, test, draw, change, forget, remove."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.servers import CLOSED_PORT_URL, Easel, running_demo, running_easel, start_easel

KEY = 'sk-canary-of-these-tests'
HEADER = 'canary-in-a-header'
LISTED = '/settings/providers.json'


@pytest.fixture(scope='module')
def second() -> Iterator[str]:
    """Another image API on a socket."""
    with running_demo() as url:
        yield url


@pytest.fixture
def client(easel: Easel) -> Iterator[httpx.Client]:
    with easel.client() as client:
        yield client
        for provider in listed(client).values():
            if provider['source'] == 'settings':
                client.post(f'/settings/providers/{provider["id"]}/deletion')


def listed(client: httpx.Client) -> dict[str, dict[str, object]]:
    found = client.get(LISTED).json()['providers']
    return {provider['name']: provider for provider in found}


def add(client: httpx.Client, base_url: str, **fields: str) -> str:
    answer = client.post('/settings/providers', data={'base_url': base_url, **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.headers['location'])


def words(answer: httpx.Response) -> str:
    return ' '.join(re.sub(r'<[^>]+>', ' ', answer.text).split())


def test_one_is_added_by_any_spelling_and_draws_at_once(
    client: httpx.Client, easel: Easel, second: str
) -> None:
    add(client, second.removeprefix('http://') + '/images/generations', name='studio')

    drawn = easel.draw(prompt='a boat', provider='studio', size='32x32')

    assert listed(client)['studio']['base_url'] == second
    assert (drawn['status'], drawn['provider']) == ('done', 'studio')


def test_a_program_gets_json_for_each_act(client: httpx.Client, second: str) -> None:
    asked = {'Accept': 'application/json'}
    added = client.post(
        '/settings/providers', data={'base_url': second, 'name': 's'}, headers=asked
    )
    page = f'/settings/providers/{added.json()["id"]}'

    changed = client.post(page, data={'at_once': '2'}, headers=asked)
    wrong = client.post(page, data={'at_once': 'x'}, headers=asked)
    tested = client.post(f'{page}/test', headers=asked)
    forgot = client.post(f'{page}/forgetting', headers=asked)
    moved = client.post(f'{page}/order', data={'by': 'up'}, headers=asked)
    gone = client.post(f'{page}/deletion', headers=asked)

    assert added.status_code == 201
    assert changed.json()['at_once'] == 2
    assert (wrong.status_code, list(wrong.json()['error']['fields'])) == (422, ['at_once'])
    assert tested.json()['test']['found'] == 'list'
    assert (forgot.json()['learned'], len(moved.json()['providers'])) == ({}, 2)
    assert (gone.json(), client.get(f'{page}.json').status_code) == ({'deleted': True}, 404)


def test_a_key_is_in_its_own_file_and_nowhere_else(
    client: httpx.Client, easel: Easel, second: str
) -> None:
    page = add(client, second, name='secret', key=KEY, headers=f'X-Extra: {HEADER}')
    easel.draw(prompt='with a key', provider='secret', size='32x32')

    shown = [
        client.get(path)
        for path in (page, f'{page}.json', LISTED, '/settings', '/', '/settings.json')
    ]
    shown += [client.post(page, data={'key': f'{KEY} x', 'headers': f'{HEADER}'})]
    shown += [client.post(f'{page}/test', headers={'X-Fragment': 'true'})]

    kept = [path for path in easel.data.rglob('*') if path.is_file()]
    holding = [path.name for path in kept if KEY.encode() in path.read_bytes()]
    assert shown[1].json()['key'] is True
    assert shown[1].json()['headers'] == {'X-Extra': True}
    assert not [one.url for one in shown if KEY in one.text or HEADER in one.text]
    assert holding == ['keys.json']
    assert (easel.data / 'keys.json').stat().st_mode & 0o777 == 0o600


def test_what_is_wrong_is_named_and_what_was_typed_kept(client: httpx.Client) -> None:
    answer = client.post(
        '/settings/providers',
        data={'base_url': 'ftp://x', 'name': 'mine', 'model': 'flux', 'key': KEY},
    )

    assert answer.status_code == 422
    assert 'http:// or https://' in words(answer)
    assert all(text in answer.text for text in ('value="ftp://x"', 'value="mine"', 'value="flux"'))
    assert KEY not in answer.text


def test_a_password_in_an_address_is_not_repeated(client: httpx.Client) -> None:
    typed = ('http://me:hidden@a.test/v1', 'me:hidden@a.test/v1')

    answers = [client.post('/settings/providers', data={'base_url': text}) for text in typed]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert not [answer for answer in answers if 'hidden@' in answer.text]
    assert 'value="http://a.test/v1"' in answers[0].text


@pytest.mark.parametrize('name', ['demo', 'taken'])
def test_a_name_is_given_once(name: str, client: httpx.Client, second: str) -> None:
    add(client, second, name='taken')

    answer = client.post('/settings/providers', data={'base_url': second, 'name': name})

    assert answer.status_code == 422
    assert 'has this name' in words(answer)


def test_a_prompt_goes_to_all_that_were_chosen_and_once_for_one_submission(
    client: httpx.Client, easel: Easel, second: str
) -> None:
    add(client, second, name='a')
    add(client, second, name='b')
    form = {'prompt': 'side by side', 'size': '32x32', 'provider': ['a', 'b'], 'submission': 'm1'}
    headers = {'X-Fragment': 'true'}

    first = client.post('/generations', data=form, headers=headers)
    again = client.post('/generations', data=form, headers=headers)

    ids = re.findall(r'id="generation-(\d+)"', first.text)
    done = [easel.wait(int(number)) for number in ids]
    assert (first.status_code, again.status_code) == (201, 200)
    assert [one['provider'] for one in done] == ['a', 'b']
    assert re.findall(r'id="generation-(\d+)"', again.text) == ids


def test_without_scripts_the_way_goes_to_the_first_of_several(
    client: httpx.Client, easel: Easel, second: str
) -> None:
    add(client, second, name='a')
    newest = easel.submit(prompt='before', size='32x32')

    answer = client.post(
        '/generations', data={'prompt': 'x', 'provider': ['a', 'a', 'auto', 'demo']}
    )

    assert answer.headers['location'] == f'/#generation-{newest + 1}'
    assert easel.wait(newest + 2)['provider'] == 'demo'


def test_one_unknown_server_among_several_keeps_all_from_being_queued(
    client: httpx.Client, easel: Easel, second: str
) -> None:
    add(client, second, name='a')
    newest = client.get('/generations.json').json()['generations'][0]['id']

    answer = client.post('/generations', data={'prompt': 'x', 'provider': ['a', 'nobody']})

    assert answer.status_code == 422
    assert client.get('/generations.json').json()['generations'][0]['id'] == newest


def test_the_test_draws_a_picture_and_links_to_it(
    client: httpx.Client, easel: Easel, second: str
) -> None:
    page = add(client, second, name='studio', model='sketch')

    answer = client.post(f'{page}/test', data={'draw': '1'})

    shown = client.get(page)
    drawn = easel.wait(int(client.get(f'{page}.json').json()['test_generation_id']))
    assert answer.headers['location'] == f'{page}#test'
    assert (drawn['status'], drawn['provider']) == ('done', 'studio')
    assert f'href="/generations/{drawn["id"]}"' in shown.text


@pytest.mark.parametrize(
    ('path', 'found'),
    [('', 'list'), ('/wrong', 'no_list'), ('/v3', 'elsewhere')],
    ids=['right', 'no API around', 'beside the API'],
)
def test_the_test_says_what_is_there(
    path: str, found: str, client: httpx.Client, second: str
) -> None:
    page = add(client, second.removesuffix('/v1') + path, name='tested')

    client.post(f'{page}/test')

    shown = client.get(f'{page}.json').json()['test']
    assert shown['found'] == found
    if found == 'elsewhere':
        client.post(page, data={'base_url': shown['address']})
        assert client.get(f'{page}.json').json()['base_url'] == second


def test_one_that_is_added_is_tested_at_once(client: httpx.Client, second: str) -> None:
    works = words(client.get(add(client, second, name='there')))
    dead = words(client.get(add(client, CLOSED_PORT_URL, name='nothing')))

    assert 'answers: 3 models' in works
    assert 'Start creating' in works
    assert "nothing can't be reached doesn't answer (connection refused" in dead
    assert 'Start creating' not in dead


def test_save_says_so_and_tests_again(client: httpx.Client, second: str) -> None:
    page = add(client, CLOSED_PORT_URL, name='moved')

    by_a_program = client.post(page, data={'base_url': second})
    answer = client.post(page, data={'base_url': second}, headers={'Accept': 'text/html'})
    shown = client.get(answer.headers['location'])

    assert list(by_a_program.cookies) == []
    assert re.search(r'role="status">.*Saved</p>', shown.text, re.DOTALL)
    assert 'answers: 3 models' in words(shown)
    assert 'Saved' not in words(client.get(page))


def test_the_environment_s_server_is_shown_first_and_can_not_be_changed(
    client: httpx.Client, second: str
) -> None:
    add(client, second, name='a')

    answers = [
        client.post(f'/settings/providers/environment{act}', data={'name': 'x', 'by': 'down'})
        for act in ('', '/order', '/deletion')
    ]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert next(iter(listed(client).values()))['source'] == 'environment'
    assert client.get('/settings/providers/environment').status_code == 200


def test_a_server_that_is_removed_takes_its_key_along(
    client: httpx.Client, easel: Easel, second: str
) -> None:
    page = add(client, second, name='leaving', key=KEY)

    client.post(f'{page}/deletion')

    assert KEY not in (easel.data / 'keys.json').read_text()
    assert client.get(page).status_code == 404


def test_what_was_added_is_there_after_a_restart_and_the_default_is_not(
    tmp_path: Path, second: str
) -> None:
    with running_easel(tmp_path / 'data') as easel, easel.client() as client:
        add(client, second, name='studio', model='sketch', key=KEY)
    with running_easel(tmp_path / 'data') as easel, easel.client() as client:
        found = listed(client)
        drawn = easel.draw(prompt='after a restart', size='32x32')
        settings = words(client.get('/settings'))

    assert list(found) == ['studio']
    assert found['studio']['key'] is True
    assert (drawn['provider'], drawn['model']) == ('studio', 'sketch')
    assert 'is no longer used' in settings
    assert KEY not in json.dumps(found)


def test_no_key_is_in_a_log_that_tells_everything(tmp_path: Path) -> None:
    with (tmp_path / 'log').open('w+') as log:
        easel = start_easel(tmp_path / 'data', {'EASEL_LOG': 'debug'}, log=log)
        with easel.client() as client:
            page = add(client, CLOSED_PORT_URL, name='x', key=KEY, headers=f'X-Extra: {HEADER}')
            client.post(page, data={'key': f'{KEY} with blanks', 'headers': HEADER})
            client.post(f'{page}/test', data={'draw': '1'})
            easel.wait(int(client.get(f'{page}.json').json()['test_generation_id']))
            client.post(f'{page}/deletion')
        easel.stop()
    text = (tmp_path / 'log').read_text()

    assert 'was added' in text
    assert KEY not in text
    assert HEADER not in text
