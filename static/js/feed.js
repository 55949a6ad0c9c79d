const LONGEST_PAUSE_MS = 10_000;
const SILENCE_MS = 10_000; // the first word comes at once, unless something on the way holds it back
const PULSES_MS = 45_000; // the server's own pulse comes every 20 s
const POLL_MS = 4_000;
const POLLS = 30; // then the stream is tried again
const ROOT = new URL('../../../', import.meta.url); // Easel may be at a sub-path

// One stream of events for any number of pages: open while one of them is visible, opened anew with what
// they still show as unfinished, so that nothing that happened meanwhile is missed. Where it is held back
// on the way, the same is asked for again and again, and each answer ends.
export class Feed {
  constructor() {
    this.pages = new Map();
    this.pauseMs = 1000;
    this.polls = 0; // so many are left; 0: the stream
    this.failures = 0;
  }

  // page: whatever names the page. tell: called with each { html } or { connection }.
  // state: { showing, newest, visible }, or null.
  update(page, tell, state) {
    if (state) this.pages.set(page, { tell, ...state });
    else this.pages.delete(page);
    this.open();
  }

  open() {
    this.close();
    const pages = [...this.pages.values()];
    if (!pages.some((page) => page.visible)) return this.wait(null);
    const showing = [...new Set(pages.flatMap((page) => page.showing))].slice(0, 200);
    const known = pages.map((page) => page.newest).filter((newest) => newest !== null);
    const after = known.length ? `&after=${Math.min(...known)}` : '';
    const once = this.polls ? '&once' : '';
    this.source = new EventSource(`${ROOT}events?notices&showing=${showing.join(',')}${after}${once}`);
    for (const kind of ['generation', 'notices', 'pulse']) {
      this.source.addEventListener(kind, (event) => this.hear(event));
    }
    this.source.addEventListener('error', () => this.end());
    if (this.heard || !this.silence) this.wait(SILENCE_MS);
    this.heard = false;
  }

  close() {
    clearTimeout(this.again);
    this.source?.close();
    this.source = null;
  }

  hear({ type, data }) {
    if (!this.heard) this.tell({ connection: this.polls ? 'held' : 'live' });
    Object.assign(this, { heard: true, failures: 0, pauseMs: 1000 });
    this.wait(PULSES_MS);
    if (type !== 'pulse') this.tell({ html: data });
  }

  tell(message) {
    for (const page of this.pages.values()) page.tell(message);
  }

  wait(ms) {
    clearTimeout(this.silence);
    this.silence = ms && setTimeout(() => this.miss(), ms);
  }

  // Nothing came for too long.
  miss() {
    this.silence = null;
    if (this.polls) return this.fail();
    if (!this.heard) this.polls = POLLS;
    this.open();
  }

  end() {
    if (!this.polls || !this.heard) return this.fail();
    this.close();
    this.polls -= 1;
    this.again = setTimeout(() => this.open(), POLL_MS);
  }

  async fail() {
    this.close();
    this.again = setTimeout(() => this.open(), this.pauseMs);
    this.pauseMs = Math.min(2 * this.pauseMs, LONGEST_PAUSE_MS);
    this.failures += 1;
    if (this.failures < 2) return; // one that is broken off is opened again at once
    const isThere = await fetch(`${ROOT}health`).then((answer) => answer.ok, () => false);
    if (!this.failures) return;
    if (!isThere) this.polls = 0; // nothing is held back where nobody is
    if (!isThere && !this.source) this.wait(null);
    this.tell({ connection: isThere ? 'refused' : 'lost' });
  }
}
