import { fit, forgetRoom, isEmpty, join, load, note } from './wall-parts.js';
import { partsOf, steady } from './wall-place.js';

const NEAR_PX = 3000;
const AGAIN_MS = 5000;

// Parts of the wall that are far away are taken out and keep their height; they come back before they are seen.
export class NearParts {
  constructor(keys, address) {
    Object.assign(this, { keys, address, width: keys.clientWidth });
    this.seen = new IntersectionObserver((seen) => this.turn(seen), {
      rootMargin: `${NEAR_PX}px 0px`,
    });
    this.sized = new ResizeObserver(() => this.resize());
    this.sized.observe(keys);
  }

  stop() {
    this.seen.disconnect();
    this.sized.disconnect();
    forgetRoom();
  }

  add(part) {
    this.seen.observe(part);
  }

  turn(seen) {
    const far = [];
    for (const { target, isIntersecting } of seen) {
      target.toggleAttribute('data-near', isIntersecting);
      if (isIntersecting && isEmpty(target)) this.fill(target);
      else if (!isIntersecting && !isEmpty(target) && !target.contains(document.activeElement)) far.push(target);
    }
    if (far.length) steady(this.keys, () => this.empty(far));
  }

  empty(parts) {
    const heights = parts.map((part) => part.getBoundingClientRect().height);
    parts.forEach((part, at) => {
      part.style.blockSize = `${heights[at]}px`;
      part.replaceChildren();
    });
  }

  async fill(part) {
    const [before, next] = [part.previousElementSibling, part.nextElementSibling];
    const place = new URL(this.address, location);
    place.searchParams.set('at', part.dataset.first);
    const fresh = await load(place, next).catch(() => null);
    if (!fresh) return setTimeout(() => 'near' in part.dataset && isEmpty(part) && this.fill(part), AGAIN_MS);
    steady(this.keys, () => {
      part.replaceChildren(...fresh.children);
      part.style.removeProperty('block-size');
      note(part);
      join(before, part);
      join(part, next);
      fit(part);
    });
    part.dispatchEvent(new CustomEvent('wall-part', { bubbles: true }));
  }

  // Rows break elsewhere in another width.
  resize() {
    const before = this.width;
    this.width = this.keys.clientWidth;
    if (before && before !== this.width) this.refit(before);
  }

  refit(before = this.width) {
    forgetRoom();
    for (const part of partsOf(this.keys)) {
      if (isEmpty(part)) part.style.blockSize = `${(parseFloat(part.style.blockSize) * before) / this.width}px`;
      else fit(part);
    }
  }
}
