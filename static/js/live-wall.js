import { elements } from './fragment.js';
import { notify } from './notify.js';
import { showNotices, subscribe } from './subscribe.js';

const title = document.title;
const idOf = (generation) => Number(generation.dataset.id);

// Keeps a wall of generations as the server has them, and the tab's title and icon with it.
class LiveWall extends HTMLElement {
  connectedCallback() {
    this.icon = document.querySelector('link[rel=icon]');
    this.plainIcon = this.icon.href;
    this.send = subscribe(this.dataset.worker, (text) => this.take(text));
    this.report = () => this.update();
    document.addEventListener('visibilitychange', this.report);
    addEventListener('pageshow', this.report);
    addEventListener('pagehide', () => this.send(null));
    addEventListener('easel-added', ({ detail }) => this.add(detail));
    this.update();
  }

  get working() {
    return [...this.querySelectorAll('live-generation')].filter((one) => one.unfinished);
  }

  // Where new ones are hung, the last that is known: what came while no stream was open comes with the next.
  get newest() {
    if (!('first' in this.dataset)) return null;
    return Math.max(0, ...[...this.querySelectorAll('live-generation')].map(idOf));
  }

  // The stream can be faster than the answer to the form: what it brought is newer.
  add(text) {
    for (const next of elements(text)) if (!document.getElementById(next.id)) this.hang(next);
    this.show();
    dispatchEvent(new Event('easel-changed'));
  }

  take(text) {
    for (const next of elements(text)) {
      if (next.id === 'notices') showNotices(next);
      else this.hang(next);
    }
    this.show();
    dispatchEvent(new Event('easel-changed'));
  }

  hang(next) {
    const old = document.getElementById(next.id);
    if (old) {
      const finished = old.unfinished && !next.unfinished;
      old.become(next);
      if (finished && next.dataset.word) this.announce(next.dataset.word);
    } else if (this.wants(next)) {
      const older = [...this.querySelectorAll('live-generation')].find((one) => idOf(one) < idOf(next));
      if (older) older.before(next);
      else this.append(next);
      this.update(); // the stream may not have been open yet when this one began
    }
  }

  // Of older ones that are not shown only what runs: an act on many brings word of each.
  wants(next) {
    const isNews = next.dataset.status === 'running' || idOf(next) > this.newest;
    return 'first' in this.dataset && isNews && next.children.length > 0;
  }

  announce(word) {
    document.getElementById('news').textContent = word;
    notify(word);
    if (document.hidden) this.unseen = true;
  }

  update() {
    if (!document.hidden) this.unseen = false;
    const showing = this.working.map((one) => one.dataset.id);
    this.send({ showing, newest: this.newest, visible: !document.hidden });
    this.show();
  }

  show() {
    const { length } = this.working;
    const mark = length ? `(${length}) ` : this.unseen ? '✓ ' : '';
    document.title = mark + title;
    this.icon.href = length ? this.dataset.busy : this.unseen ? this.dataset.done : this.plainIcon;
  }
}

customElements.define('live-wall', LiveWall);
