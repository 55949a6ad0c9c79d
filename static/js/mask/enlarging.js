const MOST_PIXELS = 40_000_000; // that Easel takes in
const SIDES = ['top', 'right', 'bottom', 'left'];

// Asks how much border the picture is to get: by its sides, or by the shape of the whole.
export class Enlarging {
  constructor(dialog, editor) {
    Object.assign(this, { editor, form: dialog.querySelector('form'), status: dialog.querySelector('[role=status]') });
    this.form.addEventListener('input', ({ target }) => this.change(target));
    this.form.addEventListener('submit', (event) => this.submit(event));
    dialog.addEventListener('focusin', () => this.tell());
    dialog.addEventListener('close', () => this.form.reset());
  }

  get border() {
    return Object.fromEntries(SIDES.map((side) => [side, Math.round(this.form.elements[side].valueAsNumber) || 0]));
  }

  change(field) {
    if (field.name === 'ratio') this.shape(field.value);
    else this.form.elements.ratio.value = '';
    this.tell();
  }

  // The least border that makes the whole of a shape, the same on both sides.
  shape(ratio) {
    if (!ratio) return;
    const { width, height } = this.editor.sheet.picture;
    const [across, down] = ratio.split(':').map(Number);
    const more = [Math.round(height * across / down) - width, Math.round(width * down / across) - height];
    const [sides, ends] = more.map((one) => Math.max(0, one));
    const { left, right, top, bottom } = this.form.elements;
    [left.value, right.value] = [Math.floor(sides / 2), Math.ceil(sides / 2)];
    [top.value, bottom.value] = [Math.floor(ends / 2), Math.ceil(ends / 2)];
  }

  tell() {
    const { width, height } = this.editor.sheet.picture;
    const { left, right, top, bottom } = this.border;
    const [across, down] = [width + left + right, height + top + bottom];
    this.isLarge = across * down > MOST_PIXELS;
    const words = this.status.dataset[this.isLarge ? 'large' : 'size'];
    this.status.textContent = words.replace('{size}', `${across} × ${down}`);
  }

  submit(event) {
    if (event.submitter.value !== 'enlarge') return;
    if (this.isLarge) event.preventDefault();
    else if (SIDES.some((side) => this.border[side])) this.editor.enlarge(this.border);
  }
}
