import { chosen } from './chosen.js';

// What is posted: single pictures, or the question that all of them match and the newest that was there.
export function fieldsOf(form, act, only = null, more = {}) {
  const isAll = chosen.all && !only;
  const which = isAll ? [['all', '1'], ...questionOf(form)] : [...(only ?? chosen.ids)].map((id) => ['image', id]);
  return new URLSearchParams([['act', act], ...which, ...Object.entries(more)]);
}

function questionOf(form) {
  return [...form.querySelectorAll('[type=hidden]')].map(({ name, value }) => [name, value]);
}

// The browser itself keeps what a form brings: this one is sent as that of the page would be.
export function download(form) {
  const once = document.createElement('form');
  Object.assign(once, { action: form.action, method: 'post', hidden: true });
  for (const [name, value] of fieldsOf(form, 'zip')) {
    once.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
  }
  document.body.append(once);
  once.submit();
  once.remove();
}

// Shows what an act did to tiles of the wall; returns how to take that back, if it can be. That says whether
// it could: tiles that were far away meanwhile have come anew.
export function reflect(act, tiles, isLeaving) {
  if (isLeaving) {
    const next = neighbour(tiles);
    if (tiles.some((tile) => tile.contains(document.activeElement))) next?.querySelector('.plate').focus();
    if (act !== 'destroy') return turn(tiles, 'hidden', true);
    for (const tile of tiles) {
      tile.querySelector('img').removeAttribute('srcset'); // out of the page it would choose another, that is gone
      tile.remove();
    }
    return null;
  }
  if (!act.endsWith('favourite')) return () => true;
  return turn(tiles.map((tile) => tile.querySelector('.heart')), 'hidden', act === 'unfavourite');
}

function turn(elements, property, value) {
  const before = elements.map((one) => [one, one[property]]);
  for (const one of elements) one[property] = value;
  return () => {
    for (const [one, was] of before) one[property] = was;
    return elements.every(({ isConnected }) => isConnected);
  };
}

function neighbour(tiles) {
  const all = [...document.querySelectorAll('wall-select .hung:not([hidden])')];
  const last = all.indexOf(tiles.at(-1));
  const isLeft = (tile) => !tiles.includes(tile);
  return all.slice(last).find(isLeft) ?? all.slice(0, last).findLast(isLeft);
}
