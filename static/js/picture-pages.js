import { fragment } from './fragment.js';

const FRESH_MS = 30_000;

// The pages of pictures that are asked for, or may be next. An element is shown once: `take` gives it away.
export class PicturePages {
  known = new Map();

  load(address) {
    const known = this.known.get(address);
    if (known && performance.now() - known.at < FRESH_MS) return known.page;
    const page = fragment(address);
    this.known.set(address, { page, at: performance.now() });
    return page;
  }

  async take(address) {
    try {
      return await this.load(address);
    } finally {
      this.forget();
    }
  }

  forget() {
    this.known.clear();
  }

  // Loads what is next to a page as soon as its own picture is there; their files come with their elements.
  async prepare(page, addresses) {
    await page.querySelector('#picture')?.decode().catch(() => {});
    if (!page.isConnected || navigator.connection?.saveData) return;
    for (const address of addresses) this.load(address).catch(() => this.known.delete(address));
  }
}

// The addresses of the pictures on one side of a page's own, the nearest first.
export function beyond(page, side) {
  return page.dataset[side].split(' ').filter(Boolean).map((id) => addressOf(id, page));
}

export function addressOf(id, page) {
  return new URL(id + page.dataset.query, location).href;
}
