import { elements } from './fragment.js';
import { keep, kept, TAB_FIRST } from './storage.js';
import { Masks } from './sources/masks.js';
import { Order } from './sources/order.js';
import { Settings } from './sources/settings.js';
import { faultOf, Upload } from './sources/upload.js';

const KEY = 'easel-sources';
const idOf = (chip) => Number(chip.dataset.id);

// What the form starts from. The server draws the chips; their order is that of the form. What is not sent yet
// survives a reload, and is joined by what an address brings; what was sent gives way to that.
class SourceList extends HTMLElement {
  connectedCallback() {
    this.form = this.closest('form');
    this.settings = new Settings(this.form);
    this.fresh = new Set(); // uploaded here, and nothing made of them
    this.ready = this.begin();
    this.form.addEventListener('submit', (event) => this.hold(event), true);
    this.form.addEventListener('input', () => this.row && this.keep());
    this.addEventListener('click', ({ target }) => this.press(target));
    addEventListener('easel-added', () => this.sent());
    addEventListener('easel-changed', () => this.offerResult());
  }

  get row() {
    return this.querySelector('.sources');
  }

  get chips() {
    return [...this.querySelectorAll('.source[data-id]')];
  }

  get ids() {
    return this.chips.map(idOf);
  }

  chipOf(id) {
    return this.querySelector(`.source[data-id='${id}']`);
  }

  async begin() {
    const named = this.ids;
    const isGiven = this.closest('draft-form').matches('[data-given]');
    const draft = isGiven ? {} : drafted();
    const isOver = isGiven || (named.length && draft.isSent);
    const earlier = isOver ? [] : (draft.pictures ?? []).map(([id]) => id);
    const missing = earlier.filter((id) => !named.includes(id));
    if (missing.length || !this.row) await this.draw(missing);
    for (const id of [...earlier, ...named.filter((one) => !earlier.includes(one))]) this.put(this.chipOf(id));
    this.masks = new Masks(this);
    new Order(this);
    if (!isOver) await this.recall(draft);
    this.isSent = Boolean(draft.isSent && !named.length);
    this.settings.isFitted = !leaveAddress() && this.chips.length > 0;
    this.changed();
  }

  async recall({ pictures = [], fresh = [], settings }) {
    this.fresh = new Set(fresh);
    for (const [id, mask] of pictures) await this.masks.bring(id, mask);
    if (settings) this.settings.values = settings;
  }

  put(chip) {
    if (chip) this.querySelector('.plain').before(chip);
  }

  // Adds the chips of those pictures that are still there.
  async draw(ids) {
    const answer = await fetch(`${this.dataset.address}?${new URLSearchParams(ids.map((id) => ['source', id]))}`);
    if (!answer.ok) throw new Error(`${answer.status}`);
    const [drawn, settings] = elements(await answer.text());
    this.settings.bring(settings);
    if (this.row) {
      for (const chip of drawn.querySelectorAll('.source[data-id]')) this.put(chip);
      return;
    }
    const sheet = drawn.querySelector('link');
    drawn.querySelector('.sources').hidden = true;
    const isStyled = new Promise((done) => ['load', 'error'].forEach((name) => sheet.addEventListener(name, done)));
    this.append(...drawn.childNodes);
    await isStyled;
  }

  async add(files) {
    await this.ready;
    this.warn();
    const fine = files.filter((file) => !this.refuse(file));
    const most = Number(this.row.dataset.most);
    const room = most - this.chips.length - this.querySelectorAll('.coming').length;
    if (fine.length > room) this.warn('many', most);
    const uploads = fine.slice(0, room).map((file) => new Upload(file, this));
    for (const { chip } of uploads) this.put(chip);
    this.changed();
    await this.send(uploads);
  }

  refuse(file) {
    const fault = faultOf(file);
    if (fault) this.warn(fault, file.name);
    return fault;
  }

  // One after the other, so that each is kept as soon as it is there.
  async send(uploads) {
    for (const upload of uploads) await this.bring(upload);
    if (!this.isWaiting || this.querySelector('.coming')) return;
    this.isWaiting = false;
    this.form.requestSubmit();
  }

  // Puts the picture in the place of its upload; gives its chip.
  async bring(upload) {
    const sent = upload.chip.isConnected && (await upload.send());
    if (!sent) return null;
    const { id, isNew } = sent;
    if (isNew) this.fresh.add(id);
    if (!upload.chip.isConnected) return this.discard(id); // taken out meanwhile
    if (!this.chipOf(id)) await this.draw([id]);
    const chip = this.chipOf(id);
    upload.chip.after(chip);
    upload.remove();
    this.isSent = false;
    this.changed();
    this.say('added', this.chips.indexOf(chip) + 1);
    return chip;
  }

  // Takes a picture of the gallery, or nothing but it.
  async use(id, isAlone) {
    await this.ready;
    this.warn();
    if (isAlone) this.chips.filter((chip) => idOf(chip) !== id).forEach((chip) => this.take(chip));
    const most = Number(this.row.dataset.most);
    if (!this.chipOf(id) && this.chips.length >= most) return this.warn('many', most);
    if (!this.chipOf(id)) await this.draw([id]);
    this.isSent = false;
    this.changed();
    this.say('added', this.ids.indexOf(id) + 1);
    this.scrollIntoView({ block: 'center' });
    if (matchMedia('(hover: hover)').matches) this.form.elements.prompt.focus();
  }

  // What was made larger takes the place of what it was made of.
  async replace(chip, blob) {
    const upload = new Upload(new File([blob], 'enlarged.png', { type: blob.type }), this);
    chip.before(upload.chip);
    const larger = await this.bring(upload);
    if (larger) this.take(chip);
    return larger;
  }

  press(target) {
    if (target.closest('[data-add]')) this.form.querySelector('[data-sources]').click();
    if (target.closest('[data-edit]')) this.use(Number(target.closest('li').dataset.result), true);
    const chip = target.closest('[data-remove]')?.closest('.source');
    if (!chip) return;
    const next = chip.nextElementSibling.querySelector('[data-remove]') ?? this.querySelector('[data-add]');
    this.take(chip);
    this.changed();
    this.say('removed');
    if (this.row.hidden) this.form.querySelector('[data-sources]').focus();
    else next.focus();
  }

  take(chip) {
    const upload = chip.matches('.coming') && chip.upload;
    if (upload) upload.remove();
    else chip.remove();
    this.discard(idOf(chip));
  }

  // What was uploaded here and never used goes to the trash.
  discard(id) {
    if (!this.fresh.delete(id)) return null;
    fetch(new URL(`images/${id}/deletion`, new URL(this.dataset.address, location)), { method: 'POST', redirect: 'manual', keepalive: true });
    return null;
  }

  moved(chip) {
    this.changed();
    const words = this.row.dataset.moved.replace('{total}', this.chips.length);
    this.querySelector('[data-news]').textContent = words.replace('{n}', this.chips.indexOf(chip) + 1);
  }

  changed() {
    for (const [place, chip] of this.chips.entries()) {
      chip.querySelector('b').textContent = this.words('name', place + 1);
      chip.querySelector('[data-remove]').ariaLabel = this.words('remove', place + 1);
    }
    const isEmpty = !this.querySelector('.source:is([data-id], .coming)');
    if (isEmpty && this.contains(document.activeElement)) this.form.elements.prompt.focus();
    const picker = this.form.querySelector('[data-sources]');
    this.row.hidden = isEmpty;
    if (!isEmpty && document.activeElement === picker) this.querySelector('[data-add]').focus();
    this.settings.show(this.chips.length > 0);
    this.masks.show();
    this.offerResult();
    this.keep();
  }

  keep() {
    const pictures = this.ids.map((id) => [id, this.masks.of(id)]);
    const draft = { pictures, fresh: [...this.fresh], isSent: this.isSent, settings: this.settings.values };
    keep(KEY, pictures.length ? JSON.stringify(draft) : '', TAB_FIRST);
  }

  // Nothing is sent without the pictures that are on their way.
  hold(event) {
    if (!this.querySelector('.coming')) return this.fresh.clear();
    event.preventDefault();
    event.stopImmediatePropagation();
    this.isWaiting = true;
    this.say('uploading');
  }

  sent() {
    this.isSent = true;
    if (this.row) this.keep();
  }

  // The newest picture that came while the page was open.
  offerResult() {
    const chip = this.querySelector('.last');
    const link = document.querySelector('live-generation[data-fresh][data-status=done] [data-source]');
    if (!chip) return;
    chip.hidden = !link || this.ids.includes(Number(link.dataset.source));
    if (chip.hidden) return;
    chip.dataset.result = link.dataset.source;
    chip.querySelector('img').src = link.closest('.hung').querySelector('img').src;
  }

  words(name, n) {
    return this.row.dataset[name].replace('{n}', n).replace('{name}', n);
  }

  say(name, n) {
    this.querySelector('[data-news]').textContent = this.words(name, n);
  }

  // Says in sight what did not work; without a name, nothing did not.
  warn(name, n) {
    const word = this.querySelector('#wrong-source');
    word.textContent = name ? this.words(name, n) : '';
    word.hidden = !name;
    this.querySelector('[data-news]').textContent = word.textContent;
  }
}

function drafted() {
  try {
    return JSON.parse(kept(KEY, TAB_FIRST) || '{}') ?? {};
  } catch {
    return {}; // written by something else
  }
}

// What an address brought is kept with the rest, and would come back with every reload. Says whether it did.
function leaveAddress() {
  const address = new URL(location);
  const isNamed = address.searchParams.has('source');
  for (const name of ['source', 'mask']) address.searchParams.delete(name);
  if (isNamed) history.replaceState(history.state, '', address);
  return isNamed;
}

customElements.define('source-list', SourceList);
