const NOTICED = 16; // of 255: by more than this a channel differs
const FEATHERS = 256; // that the shorter side is long; what lies within one of the mask is not protected
const MOST_PIXELS = 2_000_000;
const PERIOD_PX = 17; // of the hatch along a row: 12 across it
const STROKE_PX = 2.83; // 2 across it

// Hatches what changed of that which a mask protects. An answer may show all of its source, squeezed, or the middle of
// it: the likest counts.
class ShowWhere extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector('button');
    this.button.addEventListener('click', () => this.toggle());
    this.hidden = false;
  }

  async toggle() {
    const isOn = this.button.ariaPressed !== 'true';
    this.button.ariaPressed = isOn;
    if (isOn) document.querySelector('before-after')?.show(false);
    this.marking ??= this.mark();
    const marks = await this.marking.catch(() => null);
    if (marks) marks.hidden = this.button.ariaPressed !== 'true';
    if (marks?.hidden === false) marks.scrollIntoView({ block: 'nearest' });
    if (!marks) Object.assign(this, { marking: null }).button.ariaPressed = false; // a picture did not come
  }

  async mark() {
    const picture = document.getElementById('picture');
    const [before, mask] = await Promise.all([this.dataset.before, this.dataset.mask].map(loaded));
    await picture.decode();
    const ways = parts(before, picture).map((part) => changes(before, mask, picture, part));
    const [{ width, height, changed }] = ways.sort((one, other) => one.count - other.count);
    const marks = Object.assign(document.createElement('canvas'), { className: 'marks', width, height });
    const context = marks.getContext('2d');
    context.putImageData(new ImageData(changed, width, height), 0, 0);
    context.globalCompositeOperation = 'source-in';
    context.fillStyle = context.createPattern(hatch(width / picture.clientWidth), 'repeat');
    context.fillRect(0, 0, width, height);
    picture.after(marks);
    return marks;
  }
}

async function loaded(address) {
  const image = Object.assign(new Image(), { src: address });
  await image.decode();
  return image;
}

// The boxes of a source that an answer may show: x, y, width, height.
function parts({ naturalWidth: width, naturalHeight: height }, { naturalWidth: wide, naturalHeight: high }) {
  const side = Math.min(width / wide, height / high);
  const [shownWidth, shownHeight] = [wide * side, high * side];
  return [[0, 0, width, height], [(width - shownWidth) / 2, (height - shownHeight) / 2, shownWidth, shownHeight]];
}

function changes(before, mask, after, part) {
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (after.naturalWidth * after.naturalHeight)));
  const [width, height] = [after.naturalWidth, after.naturalHeight].map((side) => Math.max(1, Math.round(side * scale)));
  const source = pixels(width, height, (context) => context.drawImage(before, ...part, 0, 0, width, height));
  const answer = pixels(width, height, (context) => context.drawImage(after, 0, 0, width, height));
  const white = pixels(width, height, (context) => spread(context, mask, part, width, height));
  const changed = new Uint8ClampedArray(4 * width * height);
  let count = 0;
  for (let at = 0; at < changed.length; at += 4) {
    const differs = [0, 1, 2].some((band) => Math.abs(source[at + band] - answer[at + band]) > NOTICED);
    if (!differs || white[at]) continue;
    changed[at + 3] = 255;
    count += 1;
  }
  return { width, height, changed, count };
}

function pixels(width, height, draw) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  Object.assign(context, { fillStyle: 'white' });
  context.fillRect(0, 0, width, height); // what is see-through is compared on white
  draw(context);
  return context.getImageData(0, 0, width, height).data;
}

// The mask, made larger by a feather on every side.
function spread(context, mask, part, width, height) {
  const far = Math.max(1, Math.ceil(Math.min(width, height) / FEATHERS));
  context.fillStyle = 'black';
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = 'lighten';
  for (const x of [-far, 0, far]) {
    for (const y of [-far, 0, far]) context.drawImage(mask, ...part, x, y, width, height);
  }
}

// White and black strokes at 45°, so that they read on any picture.
function hatch(ratio) {
  const side = Math.max(4, Math.round(PERIOD_PX * ratio));
  const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
  const context = canvas.getContext('2d');
  context.fillStyle = 'rgb(128 128 128 / 45%)';
  context.fillRect(0, 0, side, side);
  context.lineWidth = (STROKE_PX * ratio) / Math.SQRT2;
  for (const [colour, start] of [['white', 0], ['black', STROKE_PX * ratio]]) {
    context.strokeStyle = colour;
    context.beginPath();
    for (const shift of [-side, 0, side]) {
      context.moveTo(start + shift - 1, side + 1);
      context.lineTo(start + shift + side + 1, -1);
    }
    context.stroke();
  }
  return canvas;
}

customElements.define('show-where', ShowWhere);
