import { idOf, isEmpty, tiles } from './wall-parts.js';

const TOP_PX = 72; // what sticks to the top covers as much

const boxOf = (one) => one.getBoundingClientRect();
export const partsOf = (keys) => [...keys.children].filter((one) => one.matches('.part'));

// The first picture in sight: that which stands for the place where one is.
function firstInSight(keys) {
  const part = partsOf(keys).find((one) => !isEmpty(one) && boxOf(one).bottom > TOP_PX);
  return part && tiles(part).find((tile) => boxOf(tile).bottom > TOP_PX);
}

// The first that is in sight whole: its row hangs the same way when a page begins with it.
function firstWhole(keys) {
  const part = partsOf(keys).find((one) => !isEmpty(one) && boxOf(one).bottom > innerHeight / 2);
  return (part && tiles(part).find((tile) => boxOf(tile).top > TOP_PX)) ?? firstInSight(keys);
}

// Changes something on the wall, and leaves what is in sight where it is.
export function steady(keys, change) {
  const anchor = firstInSight(keys);
  const top = anchor && boxOf(anchor).top;
  change();
  const moved = anchor?.isConnected ? boxOf(anchor).top - top : 0;
  if (moved) scrollBy({ top: moved, behavior: 'instant' });
}

// Writes the place into the address and the history; at the very top there is none.
export function remember(keys, address, isTop) {
  const first = firstWhole(keys);
  if (!first) return;
  const place = new URL(address, location);
  if (!isTop) place.searchParams.set('at', idOf(first));
  const wall = { id: first.id, top: isTop ? null : boxOf(first).top, y: scrollY };
  history.replaceState({ ...history.state, wall }, '', place);
}

// The place where one was, null on a page that one comes to for the first time.
export function rememberedPlace() {
  const [{ type }] = performance.getEntriesByType('navigation');
  history.scrollRestoration = 'manual';
  return type === 'navigate' ? null : (history.state?.wall ?? null);
}

// Says whether the page is long enough to go there.
export function goTo(place) {
  const tile = document.getElementById(place.id);
  if (!tile) return true;
  const top = place.top === null ? place.y : scrollY + boxOf(tile).top - place.top;
  scrollTo({ top, behavior: 'instant' });
  return top <= document.documentElement.scrollHeight - innerHeight;
}

// Brings a picture into sight that one comes back from, which may be another than the one that was opened.
export function show(keys, address, from) {
  const id = from && /\/images\/(\d+)$/.exec(new URL(from).pathname)?.[1];
  if (!id || location.hash) return;
  const tile = document.getElementById(`image-${id}`);
  if (tile) {
    const { top, bottom } = boxOf(tile);
    if (top < TOP_PX || bottom > innerHeight) tile.scrollIntoView({ block: 'center', behavior: 'instant' });
    return;
  }
  const place = new URL(address, location);
  place.searchParams.set('at', id);
  location.replace(`${place}#image-${id}`);
}
