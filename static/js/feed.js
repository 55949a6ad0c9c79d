const LONGEST_PAUSE_MS = 30_000;
const EVENTS = new URL('../../../events', import.meta.url); // Easel may be at a sub-path

// One stream of events for any number of pages: open while one of them is visible, opened anew with what
// they still show as unfinished, so that nothing that happened meanwhile is missed.
export class Feed {
  constructor() {
    this.pages = new Map();
    this.pauseMs = 1000;
  }

  // page: whatever names the page. tell: called with each fragment. state: { showing, newest, visible }, or null.
  update(page, tell, state) {
    if (state) this.pages.set(page, { tell, ...state });
    else this.pages.delete(page);
    this.open();
  }

  open() {
    clearTimeout(this.again);
    this.source?.close();
    this.source = null;
    const pages = [...this.pages.values()];
    if (!pages.some((page) => page.visible)) return;
    const showing = [...new Set(pages.flatMap((page) => page.showing))].slice(0, 200);
    const known = pages.map((page) => page.newest).filter((newest) => newest !== null);
    const after = known.length ? `&after=${Math.min(...known)}` : '';
    this.source = new EventSource(`${EVENTS}?notices&showing=${showing.join(',')}${after}`);
    this.source.addEventListener('open', () => (this.pauseMs = 1000));
    for (const kind of ['generation', 'notices']) {
      this.source.addEventListener(kind, (event) => this.tell(event.data));
    }
    this.source.addEventListener('error', () => this.later());
  }

  tell(text) {
    for (const page of this.pages.values()) page.tell(text);
  }

  later() {
    this.source?.close();
    this.source = null;
    this.again = setTimeout(() => this.open(), this.pauseMs);
    this.pauseMs = Math.min(2 * this.pauseMs, LONGEST_PAUSE_MS);
  }
}
