import { catchDrops, paired } from './dropped-files.js';
import { rememberChange } from './kept-gallery.js';

const MOST_NAMED = 100; // of what was not added

// Sends chosen and dropped files one after the other, so that each is kept as soon as it is there.
class AddPictures extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector('form');
    for (const hidden of this.querySelectorAll('[data-scripted]')) hidden.hidden = false;
    this.form.querySelector('button').hidden = true; // choosing is enough
    this.form.addEventListener('change', ({ target }) => this.choose(target));
    this.querySelector('[data-stop]').addEventListener('click', () => (this.isStopped = true));
    catchDrops((files) => this.add(files));
    addEventListener('beforeunload', (event) => this.left?.length && event.preventDefault());
  }

  choose(input) {
    this.add(paired([...input.files]));
    input.value = ''; // the same may be chosen again
  }

  async add(files) {
    if (!files.length) return this.say(this.dataset.none);
    if (this.left?.length) {
      this.left.push(...files);
      this.total += files.length;
      return;
    }
    Object.assign(this, { left: files, total: files.length, isStopped: false });
    this.counts = { added: 0, known: 0, refused: 0 };
    this.querySelector('.refused').replaceChildren();
    this.show(true);
    while (this.left.length && !this.isStopped) {
      this.progress();
      const told = await this.send(this.left[0]).catch(() => null);
      if (!told) break;
      this.take(told);
      this.left.shift();
    }
    const isLost = this.left.length && !this.isStopped;
    this.left = [];
    this.show(false);
    this.say(this.summary() + (isLost ? `. ${this.dataset.lost}` : ''));
  }

  async send({ picture, label }) {
    const body = new FormData();
    body.append('modified', picture.lastModified);
    if (label) body.append('picture', label, `${picture.name}.xmp`);
    body.append('picture', picture, picture.name);
    for (const field of this.form.querySelectorAll('[type=hidden]')) body.append(field.name, field.value);
    const answer = await fetch(this.form.action, { method: 'POST', body, headers: { Accept: 'application/json' } });
    const told = await answer.json();
    return told.refused ? told : { images: [], known: [], refused: [{ name: picture.name, message: told.error.message }] };
  }

  take({ images, known, refused }) {
    this.counts.added += images.length;
    this.counts.known += known.length;
    this.counts.refused += refused.length;
    if (images.length) {
      rememberChange();
      const link = this.querySelector('[data-show] a');
      const shown = new URLSearchParams(link.search);
      shown.set('at', images[0].id); // it may be of long ago
      link.search = shown;
    }
    const list = this.querySelector('.refused');
    for (const { name, message } of refused.slice(0, MOST_NAMED - list.childElementCount)) {
      const line = document.createElement('li');
      line.textContent = `${name}: ${message}`;
      list.append(line);
    }
    list.hidden = !list.childElementCount;
  }

  progress() {
    const number = this.total - this.left.length;
    const bar = this.querySelector('progress');
    Object.assign(bar, { max: this.total, value: number });
    this.say(this.words('sending', number + 1).replace('{total}', written(this.total)));
  }

  words(name, n) {
    return this.dataset[name].replace('{n}', written(n));
  }

  summary() {
    const told = ['added', 'known', 'refused'].filter((name) => this.counts[name] || name === 'added');
    return told.map((name) => this.words(name, this.counts[name])).join(' · ');
  }

  show(isSending) {
    this.querySelector('[data-sending-now]').hidden = !isSending;
    this.querySelector('[data-show]').hidden = isSending || !this.counts.added;
    if (isSending) this.querySelector('details').open = false;
  }

  say(words) {
    this.querySelector('[role=status]').textContent = words;
  }
}

const written = (n) => n.toLocaleString(document.documentElement.lang);

customElements.define('add-pictures', AddPictures);
