import { fragment } from './fragment.js';

const STRETCH = 1.45; // how far the last row may grow
const LEAST_PX = 72; // a tile's width
const SCALES = [1, 1.04, 0.96, 1.08, 0.92, 1.12, 0.88, 1.17, 0.84, 1.22];

// The pages of a wall, which join: a part is one page of pictures. A day that goes on in the next part
// ends with a full row, so that the two hang as one and neither moves when the other comes or goes.

export const tiles = (part) => [...part.querySelectorAll('.hung')];
export const isEmpty = (part) => !part.firstElementChild;
export const idOf = (tile) => tile.id.replace('image-', '');

// A part that would show pictures again ends where the next one begins.
export async function load(address, next = null) {
  const part = await fragment(address);
  await globalThis.scheduler?.yield?.(); // to hang it is long enough without reading it in the same task
  const all = tiles(part);
  const end = next ? all.findIndex((tile) => idOf(tile) === next.dataset.first) : -1;
  if (end >= 0) for (const tile of all.slice(end)) tile.remove();
  for (const tile of tiles(part)) if (document.getElementById(tile.id)) tile.remove(); // its edge has left the trash
  for (const section of part.querySelectorAll('section')) if (!section.querySelector('.hung')) section.remove();
  return note(part);
}

// Keeps what a part that is taken out must still tell.
export function note(part) {
  const sections = part.querySelectorAll('section');
  const [first, last] = [sections[0], sections[sections.length - 1]];
  if (first) Object.assign(part.dataset, { first: idOf(tiles(part)[0]), from: first.dataset.day, to: last.dataset.day });
  return part;
}

// Two parts in the order in which they hang, or none where one is at the end.
export function join(part, next) {
  if (!part || !next) return;
  const goesOn = part.dataset.to === next.dataset.from;
  part.toggleAttribute('data-continues', goesOn);
  next.toggleAttribute('data-continued', goesOn);
}

let room = null; // the height of rows, the width and the gap; the same for all parts

export function forgetRoom() {
  room = null;
}

function roomOf(wall) {
  const style = getComputedStyle(wall);
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  return { row: parseFloat(style.getPropertyValue('--row')) * rem, width: wall.clientWidth, gap: parseFloat(style.columnGap) };
}

// Chooses the height of rows in a section that goes on, so that its last one is full.
export function fit(part) {
  const wall = part.querySelector('section:last-of-type > .wall');
  if (!wall) return;
  wall.style.removeProperty('--row');
  wall.removeAttribute('data-full');
  if (!('continues' in part.dataset)) return;
  room ??= roomOf(wall);
  const shown = [...wall.children].filter(({ hidden }) => !hidden);
  const ratios = shown.map(({ style }) => style.getPropertyValue('--w') / style.getPropertyValue('--h'));
  const best = SCALES.find((scale) => growth(ratios, room.row * scale, room) <= STRETCH);
  wall.toggleAttribute('data-full', Boolean(best));
  if (best) wall.style.setProperty('--row', `${room.row * best}px`);
}

// How many times its height the last row gets, to reach the end.
function growth(ratios, row, { width, gap }) {
  let [taken, count] = [0, 0];
  for (const ratio of ratios) {
    const own = Math.max(ratio * row, LEAST_PX);
    if (count && taken + own + gap * count > width) [taken, count] = [0, 0];
    taken += own;
    count += 1;
  }
  return (width - gap * (count - 1)) / taken;
}
