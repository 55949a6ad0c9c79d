import { keepMask, keptMask } from './mask-store.js';

const SAMPLE = 64; // pixels to a side: enough to say how much will change
const DIGEST = /^[0-9a-f]{64}$/;

// The masks of the pictures that a form starts from. Only that of the first is shown and sent; those of
// others wait for their picture to be the first again. Each is a digest of one that the server keeps, or a
// key of one that was painted here.
export class Masks {
  constructor(list) {
    this.list = list;
    this.masks = new Map();
    this.painted = new Map();
    const { chip, tick } = this;
    if (tick.value && list.chips.length) this.masks.set(list.ids[0], tick.value);
    chip.querySelector('img').addEventListener('load', ({ target }) => this.tell(target));
    this.tell(chip.querySelector('img'));
  }

  get chip() {
    return this.list.querySelector('.mask');
  }

  get tick() {
    return this.chip.querySelector('[name=mask]');
  }

  of(id) {
    return this.masks.get(id);
  }

  async bring(id, mask) {
    if (!mask) return;
    if (!DIGEST.test(mask)) this.painted.set(mask, await keptMask(mask));
    if (DIGEST.test(mask) || this.painted.get(mask)) this.masks.set(id, mask);
  }

  remove() {
    this.masks.delete(this.list.ids[0]);
    this.list.changed();
    this.list.say('unmasked');
    this.list.querySelector('.paint button').focus();
  }

  // What is enlarged becomes a picture of its own, and takes the place of the first.
  async open() {
    if (this.isOpen) return null; // a second press, before it is seen
    this.isOpen = true;
    const [first] = this.list.chips;
    const { width, height, file } = first.dataset;
    const mask = this.content(this.of(Number(first.dataset.id)));
    const size = { width: Number(width), height: Number(height) };
    let painted;
    try {
      const { openMask } = await import('../mask/open-mask.js');
      painted = await openMask({ image: file, mask, ...size });
    } catch {
      return this.list.warn('unopened');
    } finally {
      this.isOpen = false;
    }
    if (!painted) return null;
    const take = (chip) => this.put(Number(chip.dataset.id), painted.mask);
    await (painted.enlarged ? this.list.uploads.replace(first, painted.enlarged, take) : take(first));
    return this.list.querySelector('.mask:not([hidden]) [data-mask], .paint [data-mask]').focus();
  }

  content(mask) {
    return this.painted.get(mask) ?? (mask ? this.address(mask) : undefined);
  }

  address(digest) {
    return new URL(`masks/${digest}.png`, new URL(this.list.dataset.address, location)).href;
  }

  // A first mask is there to protect the rest of its picture.
  async put(id, blob) {
    const key = `${Date.now()}`;
    if (blob) {
      this.painted.set(key, blob);
      if (!this.masks.has(id)) this.list.settings.protect();
      this.masks.set(id, key);
    } else this.masks.delete(id);
    this.list.changed();
    this.list.tellServer();
    if (blob) await keepMask(key, blob);
  }

  // Sends a painted one as a file; one that is kept goes by its digest.
  show() {
    const mask = this.of(this.list.ids[0]);
    const blob = this.painted.get(mask);
    const { chip, tick } = this;
    const isOther = chip.dataset.shown !== (mask ?? '');
    chip.hidden = !mask;
    this.list.querySelector('.paint').hidden = Boolean(mask) || !this.list.chips.length;
    Object.assign(tick, { checked: Boolean(mask && !blob), value: blob ? '' : (mask ?? '') });
    const files = new DataTransfer();
    if (blob) files.items.add(new File([blob], 'mask.png', { type: 'image/png', lastModified: Number(mask) }));
    this.list.querySelector('input[type=file][name=mask]').files = files.files;
    if (!isOther) return;
    chip.dataset.shown = mask ?? '';
    const image = chip.querySelector('img');
    URL.revokeObjectURL(image.src);
    if (mask) image.src = blob ? URL.createObjectURL(blob) : this.address(mask);
    else image.removeAttribute('src');
  }

  tell(image) {
    if (!image.naturalWidth) return;
    const context = new OffscreenCanvas(SAMPLE, SAMPLE).getContext('2d');
    context.drawImage(image, 0, 0, SAMPLE, SAMPLE);
    const { data } = context.getImageData(0, 0, SAMPLE, SAMPLE);
    const white = data.reduce((sum, level, place) => sum + (place % 4 ? 0 : level), 0) / (data.length / 4) / 255;
    const percent = white > 0 ? Math.max(1, Math.round(100 * white)) : 0;
    this.chip.querySelector('[data-share]').textContent = this.list.words('changes', percent);
  }
}
